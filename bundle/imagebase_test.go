package bundle

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBase finds the end of the base image.
func TestBase(t *testing.T) {
	system, lib, app := lay{ents: files("etc/os-release", "ID=test")}, lay{ents: files("usr/lib/x", "1")}, lay{ents: files("var/task/a", "1")}
	digest := func(l lay) string { return string(digestOfBytes(l.unpacked())) }
	step := func(by string) m { return m{"created_by": by} }
	empty := func(by string) m { return m{"created_by": by, "empty_layer": true} }
	base := tmp(t, "base.tar", docker(img{layers: []lay{system, lib}}, "base:1").tar())
	other := tmp(t, "other.tar", docker(img{layers: []lay{lib}}, "other:1").tar())
	longer := oci(system, lib, app, lay{ents: files("b", "1")}).dir(t)
	layers := []lay{system, lib, app}
	for _, tt := range []struct {
		name    string
		img     img
		said    string
		want    int
		guessed bool
		err     string
	}{
		{name: "nothing says it", img: img{layers: layers}, want: 1, guessed: true},
		{name: "no system", img: img{layers: []lay{lib, app}}},
		{name: "a single layer", img: img{layers: []lay{system}}},
		{name: "history of the older builder", img: img{layers: layers, history: []m{step("/bin/sh -c #(nop) ADD file"), step("RUN y"), empty("/bin/sh -c #(nop)  CMD [\"bash\"]"), step("COPY")}}, want: 2, guessed: true},
		{name: "history of BuildKit", img: img{layers: layers, history: []m{step("ADD"), step("RUN"), empty("ENTRYPOINT [\"/lambda-entrypoint.sh\"]"), step("COPY"), empty("CMD [\"a\"]")}}, want: 2, guessed: true},
		{name: "history of other layers", img: img{layers: layers, history: []m{step("ADD"), empty("CMD x")}}, want: 1, guessed: true},
		{name: "annotated digest of a layer", img: img{layers: layers, annotations: map[string]string{annotationBaseDigest: digest(lib)}}, want: 2},
		{name: "buildpacks", img: img{layers: layers, config: m{"Labels": map[string]string{labelBuildpacks: `{"runImage":{"topLayer":"` + digest(lib) + `"}}`}}}, want: 2},
		{name: "said by a layer", img: img{layers: layers}, said: digest(lib), want: 2},
		{name: "said by no layer", img: img{layers: layers}, said: digest(lay{ents: files("z", "")}), err: "no layer has this digest"},
		{name: "the base itself", img: img{layers: layers}, said: base, want: 2},
		{name: "another image", img: img{layers: layers}, said: other, err: "not the base of this image"},
		{name: "an image built on this one", img: img{layers: layers}, said: longer, err: "not the base of this image"},
		{name: "not there", img: img{layers: layers}, said: base + "x", err: "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := store{}
			f, err := openImage(t, s.top(s.add(tt.img)).dir(t), Spec{Base: tt.said})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v", err)
				}
				if strings.Contains(tt.err, "not the base") && !errors.Is(err, ErrNotBase) {
					t.Errorf("error %v is not ErrNotBase", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for i, l := range f.Volumes[0].Image().Layers {
				if l.Base != (i < tt.want) || l.BaseGuessed != (l.Base && tt.guessed) {
					t.Errorf("layer %d: base %v, guessed %v", i, l.Base, l.BaseGuessed)
				}
			}
		})
	}
}

// TestImageGuess reads off images what they run.
func TestImageGuess(t *testing.T) {
	env := func(e ...string) m { return m{"Env": e} }
	for _, tt := range []struct {
		name             string
		config           m
		files            []string
		platform         Platform
		runtime, handler string
	}{
		{"plain", nil, []string{"app", "1"}, PlatformNone, "", ""},
		{"Lambda, Node.js", m{"Env": []string{"LAMBDA_TASK_ROOT=/var/task"}, "Entrypoint": []string{"/lambda-entrypoint.sh"}, "Cmd": []string{"index.handler"}},
			[]string{"var/lang/include/node/node_version.h", "#define NODE_MAJOR_VERSION 20\n", "var/task/index.js", "1"}, PlatformAWS, "nodejs20.x", "index.handler"},
		{"Lambda, Python", m{"Entrypoint": []string{"/lambda-entrypoint.sh"}, "Cmd": []string{"app.handler"}},
			[]string{"var/lang/lib/python3.12/os.py", "", "var/runtime/bootstrap", "x"}, PlatformAWS, "python3.12", "app.handler"},
		{"Lambda, an image of one's own", m{"Entrypoint": []string{"/usr/local/bin/python", "-m", "awslambdaric", "app.handler"}},
			[]string{"usr/local/lib/python3.11/os.py", ""}, PlatformAWS, "python3.11", "app.handler"},
		{"Lambda, Java", m{"Env": []string{"LAMBDA_TASK_ROOT=/var/task"}, "Cmd": []string{"example.App::handle"}},
			[]string{"var/lang/release", "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"21.0.4\"\n"}, PlatformAWS, "java21", "example.App::handle"},
		{"Lambda, Ruby", m{"Env": []string{"LAMBDA_TASK_ROOT=/var/task"}}, []string{"var/lang/lib/ruby/3.3.0/json.rb", ""}, PlatformAWS, "ruby3.3", ""},
		{"Lambda, declared", env("AWS_EXECUTION_ENV=AWS_Lambda_nodejs22.x"), nil, PlatformAWS, "nodejs22.x", ""},
		{"Lambda, the system's own", env("LAMBDA_TASK_ROOT=/var/task"), []string{"var/runtime/bootstrap", "x"}, PlatformAWS, "provided.al2023", ""},
		{"Azure", env("AzureWebJobsScriptRoot=/home/site/wwwroot"), []string{"home/site/wwwroot/host.json", "{}"}, PlatformAzure, "", ""},
		{"Google", env("FUNCTION_TARGET=hello"), []string{"workspace/index.js", "1"}, PlatformGoogle, "", "hello"},
		{"two languages, one started", m{"Cmd": []string{"node", "x.js"}},
			[]string{"usr/local/include/node/node_version.h", "#define NODE_MAJOR_VERSION 22\n", "usr/local/lib/python3.11/os.py", ""}, PlatformNone, "nodejs22.x", ""},
		{"two languages", nil,
			[]string{"usr/local/include/node/node_version.h", "#define NODE_MAJOR_VERSION 22\n", "usr/local/lib/python3.11/os.py", ""}, PlatformNone, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := store{}
			f, err := openImage(t, s.top(s.add(img{config: tt.config, layers: []lay{{ents: files(append(tt.files, "z", "")...), pack: "gzip"}}})).dir(t), Spec{})
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Platform != tt.platform || f.Runtime != tt.runtime || f.Handler != tt.handler || f.Arch != "x86_64" {
				t.Errorf("platform %q, runtime %q, handler %q, architecture %q", f.Platform, f.Runtime, f.Handler, f.Arch)
			}
			if slices.Contains(f.Guessed, "architecture") {
				t.Errorf("guessed %q", f.Guessed)
			}
			if len(f.Volumes) != 1 || f.Layers[0].Mount != "" {
				t.Errorf("mounted %+v", f.Layers)
			}
		})
	}
}

// TestImageFacts holds what Image says against what was put in.
func TestImageFacts(t *testing.T) {
	i := img{platform: "linux/arm64", annotations: map[string]string{"a": "b"},
		config:  m{"Entrypoint": []string{"/e"}, "Cmd": []string{"c"}, "Env": []string{"A=1"}, "WorkingDir": "/w", "User": "u", "Labels": map[string]string{"l": "1"}},
		history: []m{{"created_by": "one", "created": "2026-01-02T03:04:05Z"}, {"created_by": "none", "empty_layer": true, "created": "2026-05-05T00:00:00Z"}, {"created_by": "two"}},
		layers:  []lay{{ents: files("a", "1"), pack: "gzip"}, {ents: files("b", "2"), pack: "zstd"}}}
	s := store{}
	d := s.add(i)
	index := s.index(d)
	f, err := openImage(t, s.top(index).dir(t), Spec{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v := f.Volumes[0]
	g := v.Image()
	if g.Manifest != d["digest"] || g.Index != index["digest"] || f.Code.Digest != g.Manifest || f.Code.Kind != KindImage || g.Platform != "linux/arm64" || f.Arch != "arm64" ||
		g.Created != (time.Time{}) || g.Entrypoint[0] != "/e" || g.Cmd[0] != "c" || g.Env[0] != "A=1" || g.WorkingDir != "/w" || g.User != "u" || g.Labels["l"] != "1" || g.Annotations["a"] != "b" {
		t.Errorf("%+v, %+v", g, f.Code)
	}
	for n, l := range g.Layers {
		b := i.layers[n].shipped()
		if l.Digest != digestOfBytes(b) || l.DiffID != digestOfBytes(i.layers[n].unpacked()) || l.Size != int64(len(b)) || l.CreatedBy != []string{"one", "two"}[n] || !l.Created.Equal([]time.Time{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), {}}[n]) || l.MediaType == "" {
			t.Errorf("layer %d: %+v", n, l)
		}
		if v.ImageLayer(n) != n {
			t.Errorf("file %d is of layer %d", n, v.ImageLayer(n))
		}
	}
	if v.ImageLayer(-1) != -1 || v.ImageLayer(2) != -1 || mustOpen(t, plain("a", "1")).ImageLayer(0) != -1 || mustOpen(t, plain("a", "1")).Image() != nil {
		t.Error("layers of what is none")
	}
}
