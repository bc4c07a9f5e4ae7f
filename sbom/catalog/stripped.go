package catalog

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/fnaudit/fnaudit/sbom"
)

// strippedPython reports Python packages whose metadata was deleted to save
// space (serverless-python-requirements does so with "slim: true"). The
// function's own packages must not be taken for such, and may well have a
// version. So it takes the import name of a well-known project, or a version
// together with what only a release has, or several versioned packages side by
// side.
func strippedPython(ctx context.Context, a *artifact) {
	a.pythonCompiled()
	known := pythonImports()
	installed := a.pythonInstalledNames()
	parts := a.pythonParts()
	weak := map[string][]string{} // folder that is searched for modules -> versioned packages in it
	for i := range a.files {
		if ctx.Err() != nil {
			return
		}
		p := a.files[i].Path
		if path.Base(p) != "__init__.py" || a.files[i].Link != "" || a.owners.owns(p) {
			continue
		}
		dir := dirOf(p)
		if dir == "" || !pythonRoot(dirOf(dir)) {
			continue
		}
		if project, ok := known[path.Base(dir)]; ok {
			if !installed[project] && !installed[project+"-binary"] {
				a.unknown(dir, sbom.Opaque, "Python package without metadata: it has the import name of "+project, true)
			}
			continue
		}
		sign, sure := a.released(dir, p, parts)
		switch {
		case sign == "":
		case sure:
			a.unknown(dir, sbom.Opaque, "Python package without metadata: "+sign, true)
		default:
			weak[dirOf(dir)] = append(weak[dirOf(dir)], dir)
		}
	}
	for _, dirs := range weak {
		if len(dirs) < severalVersioned {
			continue
		}
		for _, dir := range dirs {
			a.unknown(dir, sbom.Opaque, "Python package without metadata: one of several with a version of their own", true)
		}
	}
}

// severalVersioned is how many versioned packages side by side are too many to
// be one function's own.
const severalVersioned = 3

// pythonInstalledNames returns the projects that are installed. A distribution
// without a RECORD need not say by which name it is imported.
func (a *artifact) pythonInstalledNames() map[string]bool {
	out := map[string]bool{}
	for i := range a.found {
		if f := &a.found[i]; f.typ == "pypi" && !f.declared {
			out[sbom.CanonicalName("pypi", f.name)] = true
		}
	}
	return out
}

// pythonRoot reports whether the platform searches a folder for modules.
func pythonRoot(dir string) bool {
	switch dir {
	case "", "python", ".python_packages/lib/site-packages":
		return true
	}
	return strings.HasPrefix(dir, "python/lib/python3") && path.Base(dir) == "site-packages"
}

// released says what shows that the package in dir was released by somebody,
// "" when nothing does. sure is false when people do the same to their own
// code. parts is what pythonParts returned.
func (a *artifact) released(dir, initFile string, parts map[string]string) (sign string, sure bool) {
	data, err := a.read(initFile, a.opts.MaxManifest)
	if err != nil {
		a.unread(initFile, err)
		return "", false
	}
	if bytes.Contains(data, []byte("\n__version__")) || bytes.HasPrefix(data, []byte("__version__")) {
		sign = "__init__.py has a __version__"
	}
	for _, name := range []string{"_version.py", "version.py", "__version__.py", "__about__.py"} {
		if sign == "" && a.has(path.Join(dir, name)) {
			sign = "it has a " + name
		}
	}
	if sign == "" {
		return "", false
	}
	for _, word := range []string{"__license__", "Licensed under", "SPDX-License-Identifier"} {
		if bytes.Contains(data, []byte(word)) {
			return sign + " and a licence", true
		}
	}
	for _, name := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE.rst", "COPYING", "py.typed"} {
		if a.has(path.Join(dir, name)) {
			return sign + ", and there is a " + name, true
		}
	}
	if parts[dir] != "" {
		return sign + " and " + parts[dir], true
	}
	return sign, false
}

// pythonParts returns the packages that have compiled extensions or vendored
// packages inside, by folder.
func (a *artifact) pythonParts() map[string]string {
	out := map[string]string{}
	for i := range a.files {
		p := a.files[i].Path
		what := ""
		switch {
		case strings.Contains(p, "/_vendor/"):
			what = "vendored packages"
		case strings.HasSuffix(p, ".so"), strings.HasSuffix(p, ".pyd"):
			what = "compiled extensions"
		default:
			continue
		}
		for dir := dirOf(p); dir != ""; dir = dirOf(dir) {
			if pythonRoot(dirOf(dir)) {
				out[dir] = what
			}
		}
	}
	return out
}

// pythonImports lists import names of projects that functions often bring,
// with the project's name as the package index spells it.
func pythonImports() map[string]string {
	return map[string]string{
		"requests": "requests", "urllib3": "urllib3", "certifi": "certifi", "idna": "idna", "charset_normalizer": "charset-normalizer", "chardet": "chardet",
		"boto3": "boto3", "botocore": "botocore", "s3transfer": "s3transfer", "jmespath": "jmespath", "dateutil": "python-dateutil", "aiobotocore": "aiobotocore",
		"yaml": "pyyaml", "jinja2": "jinja2", "markupsafe": "markupsafe", "click": "click", "flask": "flask", "werkzeug": "werkzeug", "itsdangerous": "itsdangerous",
		"django": "django", "rest_framework": "djangorestframework", "asgiref": "asgiref", "sqlparse": "sqlparse", "starlette": "starlette", "fastapi": "fastapi",
		"pydantic": "pydantic", "pydantic_core": "pydantic-core", "annotated_types": "annotated-types", "mangum": "mangum", "aws_lambda_powertools": "aws-lambda-powertools",
		"numpy": "numpy", "pandas": "pandas", "scipy": "scipy", "sklearn": "scikit-learn", "pyarrow": "pyarrow", "matplotlib": "matplotlib", "tensorflow": "tensorflow", "torch": "torch",
		"cryptography": "cryptography", "cffi": "cffi", "pycparser": "pycparser", "nacl": "pynacl", "bcrypt": "bcrypt", "OpenSSL": "pyopenssl", "Crypto": "pycryptodome", "Cryptodome": "pycryptodomex",
		"jwt": "pyjwt", "jose": "python-jose", "rsa": "rsa", "pyasn1": "pyasn1", "oauthlib": "oauthlib", "requests_oauthlib": "requests-oauthlib", "paramiko": "paramiko",
		"sqlalchemy": "sqlalchemy", "psycopg2": "psycopg2", "psycopg": "psycopg", "pymysql": "pymysql", "MySQLdb": "mysqlclient", "pymongo": "pymongo", "bson": "pymongo", "redis": "redis",
		"aiohttp": "aiohttp", "httpx": "httpx", "httpcore": "httpcore", "anyio": "anyio", "h11": "h11", "multidict": "multidict", "yarl": "yarl", "websockets": "websockets", "tornado": "tornado",
		"PIL": "pillow", "lxml": "lxml", "bs4": "beautifulsoup4", "attr": "attrs", "attrs": "attrs", "jsonschema": "jsonschema", "marshmallow": "marshmallow", "simplejson": "simplejson", "orjson": "orjson",
		"pytz": "pytz", "grpc": "grpcio", "sentry_sdk": "sentry-sdk", "setuptools": "setuptools", "pkg_resources": "setuptools", "pip": "pip",
	}
}
