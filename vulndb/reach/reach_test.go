package reach_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/fnaudit/fnaudit/vulndb"
	"github.com/fnaudit/fnaudit/vulndb/reach"
)

func TestMain(m *testing.M) {
	if reach.IsChild(os.Args) {
		os.Exit(reach.Child(os.Stdout, os.Stderr, os.Getenv))
	}
	os.Exit(m.Run())
}

func TestTry(t *testing.T) {
	db, err := vulndb.Open("/tmp/reach/db")
	if err != nil {
		t.Fatal(err)
	}
	var list []*vulndb.Advisory
	for _, name := range []string{"golang.org/x/text", "github.com/dgrijalva/jwt-go", "gopkg.in/yaml.v2", "golang.org/x/net", "github.com/aws/aws-lambda-go", "stdlib"} {
		l, err := db.LookupName(context.Background(), "Go", name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, l...)
	}
	self, _ := reach.Self()
	c := &reach.Checker{Program: self}
	for _, p := range []string{"called", "imported"} {
		f, err := os.Open("/tmp/reach/" + p + "/bootstrap")
		if err != nil {
			t.Fatal(err)
		}
		t0 := time.Now()
		res, err := c.Check(context.Background(), reach.Source{Binary: f}, list)
		if err != nil {
			t.Fatal(err)
		}
		t.Log(p, time.Since(t0), len(res.Blob), res.Stripped, res.Partial)
		n := map[string]int{}
		for _, a := range res.Answers {
			n[string(a.State)+" "+a.Detail]++
			switch a.ID {
			case "GO-2021-0113", "GO-2020-0017", "GO-2021-0061", "GO-2021-0238":
				t.Logf("%+v", a)
			}
		}
		for k, v := range n {
			t.Log(v, k)
		}
		t0 = time.Now()
		again, err := c.Check(context.Background(), reach.Source{Blob: res.Blob}, list)
		if err != nil {
			t.Fatal(err)
		}
		t.Log("blob", time.Since(t0))
		for i := range again.Answers {
			if again.Answers[i].State != res.Answers[i].State {
				t.Error(again.Answers[i], res.Answers[i])
			}
		}
	}
}
