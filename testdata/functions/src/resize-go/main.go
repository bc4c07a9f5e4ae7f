// Command bootstrap is a custom runtime in one small binary: it prints the
// language that it would answer in. It holds one old module on purpose.
package main

import (
	"os"

	"golang.org/x/text/language"
)

func main() {
	tags, _, err := language.ParseAcceptLanguage(os.Getenv("ACCEPT_LANGUAGE"))
	if err != nil || len(tags) == 0 {
		os.Stdout.WriteString("und\n")
		return
	}
	os.Stdout.WriteString(tags[0].String() + "\n")
}
