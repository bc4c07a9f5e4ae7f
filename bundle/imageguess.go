package bundle

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// maxGuessBytes bounds a file that is read to guess a version.
const maxGuessBytes = 64 << 10

// imageGuess reads off a container image what it was made for: its environment
// and entrypoint, and the folders that the platforms' base images have. Sources:
// docs.aws.amazon.com/lambda/latest/dg/images-create.html and
// github.com/aws/aws-lambda-base-images for AWS; learn.microsoft.com/azure/
// azure-functions/functions-how-to-custom-container for Azure;
// cloud.google.com/docs/buildpacks for Google; as of 2026-11.
type imageGuess struct {
	f   *Function
	v   *Volume
	img *Image
}

func (g *imageGuess) env(name string) string {
	for _, e := range g.img.Env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func (g *imageGuess) envStarts(prefix string) bool {
	return slices.ContainsFunc(g.img.Env, func(e string) bool { return strings.HasPrefix(e, prefix) })
}

// runs reports whether the command line of the image has a word whose last path
// element is one of names.
func (g *imageGuess) runs(names ...string) bool {
	for _, w := range slices.Concat(g.img.Entrypoint, g.img.Cmd) {
		for f := range strings.FieldsSeq(w) { // a shell form is one word
			if slices.Contains(names, path.Base(f)) {
				return true
			}
		}
	}
	return false
}

func (g *imageGuess) platform() Platform {
	switch {
	case g.env("AzureWebJobsScriptRoot") != "", g.v.has("azure-functions-host"), g.v.has("home/site/wwwroot/host.json"):
		return PlatformAzure
	case g.env("LAMBDA_TASK_ROOT") != "", strings.HasPrefix(g.env("AWS_EXECUTION_ENV"), "AWS_Lambda"), g.envStarts("AWS_LAMBDA_"),
		g.img.WorkingDir == "/var/task", g.v.has("var/task"), g.v.has("lambda-entrypoint.sh"), g.v.has("var/runtime/bootstrap"), g.runs("lambda-entrypoint.sh", "awslambdaric", "aws-lambda-ric", "aws_lambda_ric", "aws-lambda-rie"):
		return PlatformAWS
	case g.env("FUNCTION_TARGET") != "", g.env("GOOGLE_FUNCTION_TARGET") != "", g.env("FUNCTION_SIGNATURE_TYPE") != "",
		g.v.has("layers/google.utils.label"), g.v.has("workspace") && g.envStarts("CNB_") && strings.Contains(g.img.Labels[labelBuildpacks], "google"):
		return PlatformGoogle
	}
	return PlatformNone
}

// handler is what the platform calls: of a Lambda image the command, of a
// buildpack's the target.
func (g *imageGuess) handler() string {
	switch g.f.Platform {
	case PlatformAWS:
		if len(g.img.Cmd) == 1 {
			return g.img.Cmd[0]
		}
		if n := len(g.img.Entrypoint); len(g.img.Cmd) == 0 && n > 1 && g.runs("awslambdaric", "aws-lambda-ric", "aws_lambda_ric", "lambda-entrypoint.sh") {
			return g.img.Entrypoint[n-1]
		}
	case PlatformGoogle:
		if t := g.env("FUNCTION_TARGET"); t != "" {
			return t
		}
		return g.env("GOOGLE_FUNCTION_TARGET")
	}
	return ""
}

// Compiled when first used: most functions are no images.
var (
	nodeVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^#define NODE_MAJOR_VERSION (\d{1,3})\s*$`) })
	javaVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^JAVA_VERSION="(?:1\.)?(\d{1,3})`) })
)

// runtime gives the id of the language that the image brings. Each trace is
// made by the language's own installation: where it lies does not depend on who
// built the image.
func (g *imageGuess) runtime() string {
	if rest, ok := strings.CutPrefix(g.env("AWS_EXECUTION_ENV"), "AWS_Lambda_"); ok && rest != "" {
		return rest
	}
	ids := map[string]bool{}
	for _, f := range g.v.Files() {
		if !strings.HasPrefix(f.Path, "var/lang/") && !strings.HasPrefix(f.Path, "usr/local/") && !strings.HasPrefix(f.Path, "opt/") {
			continue
		}
		switch {
		case strings.HasSuffix(f.Path, "/include/node/node_version.h"):
			g.version(ids, f, nodeVersion(), "nodejs", ".x")
		case base(f.Path) == "release" && strings.Count(f.Path, "/") <= 3:
			g.version(ids, f, javaVersion(), "java", "")
		case strings.HasSuffix(f.Path, "/os.py"):
			if v, ok := strings.CutPrefix(base(parent(f.Path)), "python"); ok && dotted(v) && base(parent(parent(f.Path))) == "lib" {
				ids["python"+v] = true
			}
		case strings.HasSuffix(f.Path, "/set.rb"), strings.HasSuffix(f.Path, "/json.rb"):
			if up := parent(f.Path); base(parent(up)) == "ruby" && strings.Count(base(up), ".") == 2 {
				v, _, _ := strings.Cut(base(up), ".")
				minor, _, _ := strings.Cut(base(up)[len(v)+1:], ".")
				if digits(v) && digits(minor) {
					ids["ruby"+v+"."+minor] = true
				}
			}
		}
	}
	if id := g.single(ids); id != "" {
		return id
	}
	if g.f.Platform == PlatformAWS && g.v.has("var/runtime/bootstrap") && len(ids) == 0 && !g.v.has("var/lang") {
		return "provided.al2023"
	}
	return ""
}

// single takes the only id, or among several the one whose language the command
// line starts: an image for Node.js has a Python of the system's, as a rule.
func (g *imageGuess) single(ids map[string]bool) string {
	var fit []string
	for id := range ids {
		lang := strings.TrimRight(strings.TrimSuffix(id, ".x"), "0123456789.")
		cmd := map[string]string{"nodejs": "node"}[lang]
		if cmd == "" {
			cmd = lang
		}
		if len(ids) == 1 || g.runs(cmd) || g.env(strings.ToUpper(cmd)+"_VERSION") != "" {
			fit = append(fit, id)
		}
	}
	if len(fit) == 1 {
		return fit[0]
	}
	return ""
}

func (g *imageGuess) version(ids map[string]bool, f File, re *regexp.Regexp, before, after string) {
	if f.Mode != 0 || f.Size > maxGuessBytes {
		return
	}
	b, err := g.v.Tree().ReadFile(f.Path)
	if err != nil {
		return
	}
	if m := re.FindSubmatch(b); m != nil {
		ids[before+string(m[1])+after] = true
	}
}

// arch gives the platform's name for an image's architecture.
func (g *imageGuess) arch() string {
	p := strings.Split(g.img.Platform, "/")
	if len(p) < 2 {
		return ""
	}
	switch p[1] {
	case "amd64":
		return "x86_64"
	}
	return p[1]
}
