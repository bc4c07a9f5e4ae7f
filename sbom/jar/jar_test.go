package jar

import (
	"fmt"
	"strings"
	"testing"
)

// gson is enough of a library's classes to recognise it, below root.
func gson(root string) []file {
	return classes(root+"/Gson", root+"/stream/JsonReader", root+"/internal/LinkedTreeMap", root+"/internal/bind/ReflectiveTypeAdapterFactory",
		root+"/reflect/TypeToken", root+"/internal/reflect/ReflectionHelper", root+"/internal/bind/util/ISO8601Utils", root+"/internal/sql/SqlDateTypeAdapter")
}

// renamed returns classes under another extension.
func renamed(files []file, ext string) []file {
	var out []file
	for _, f := range files {
		f.name = strings.TrimSuffix(f.name, ".class") + ext
		f.data = []byte("\xca\xfe\xba\xbe\x00\x00\x00\x34")
		out = append(out, f)
	}
	return out
}

// many returns n lines.
func many(format string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

// inLib returns a function with one archive in lib.
func inLib(t testing.TB, name string, files ...file) []file {
	return []file{jarFile(t, "lib/"+name, files...)}
}

func TestScan(t *testing.T) {
	groups := func(artifact string) []string {
		return map[string][]string{
			"acme-json": {"com.acme.json"},
			"core":      {"com.acme", "org.other"},
			"twice-api": {"com.acme.twice", "net.twice"},
		}[artifact]
	}
	tests := []struct {
		name  string
		self  string // name of the artifact; function.zip
		files []file
		want  []string
	}{
		{name: "pom.properties", files: inLib(t, "x.jar", properties("com.acme", "rocket", "1.2.3")),
			want: []string{"com.acme:rocket 1.2.3 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "pom.xml alone", files: inLib(t, "x.jar", pom("com.acme", "rocket", "1.2.3")),
			want: []string{"com.acme:rocket 1.2.3 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.xml"}},
		{name: "pom.xml with a variable for its version", files: inLib(t, "rocket-1.2.3.jar", pom("com.acme", "rocket", "${revision}")),
			want: []string{"com.acme:rocket 1.2.3 installed-metadata at lib/rocket-1.2.3.jar!/META-INF/maven/com.acme/rocket/pom.xml"}},
		{name: "manifest and a name without version", files: inLib(t, "acme-json.jar", manifest("Implementation-Title: Acme JSON", "Implementation-Version: 2.0.1")),
			want: []string{"com.acme.json:acme-json 2.0.1 embedded-manifest at lib/acme-json.jar!/META-INF/MANIFEST.MF"}},
		{name: "OSGi bundle", files: inLib(t, "bundle.jar", append(classes("com/acme/json/A"), manifest("Bundle-SymbolicName: com.acme.json.acme-json;singleton:=true", "Bundle-Version: 2.0.1"))...),
			want: []string{"com.acme.json:acme-json 2.0.1 embedded-manifest at lib/bundle.jar!/META-INF/MANIFEST.MF"}},
		{name: "Gradle's nebula", files: inLib(t, "x.jar", manifest("Implementation-Title: com.acme#rocket;3.1")),
			want: []string{"com.acme:rocket 3.1 embedded-manifest at lib/x.jar!/META-INF/MANIFEST.MF"}},
		{name: "Gradle's version file", files: inLib(t, "x.jar", append(classes("a/B"), text("META-INF/androidx.core_core-ktx.version", "1.13.0"))...),
			want: []string{"androidx.core:core-ktx 1.13.0 installed-metadata at lib/x.jar!/META-INF/androidx.core_core-ktx.version"}},
		{name: "the file name wins over a copied manifest", files: inLib(t, "acme-json-1.0.jar", append(classes("com/acme/json/A"), manifest("Implementation-Title: other", "Implementation-Version: 9.9"))...),
			want: []string{"com.acme.json:acme-json 1.0 file-name at lib/acme-json-1.0.jar"}},
		{name: "folder of a Maven repository", files: []file{jarFile(t, "repository/com/acme/x/rocket/1.0/rocket-1.0.jar", classes("q/A")...)},
			want: []string{"com.acme.x:rocket 1.0 file-name at repository/com/acme/x/rocket/1.0/rocket-1.0.jar"}},
		{name: "unknown group", files: inLib(t, "rocket-1.0.jar", classes("q/A")...),
			want: []string{"? unmatched lib/rocket-1.0.jar: the Maven group of rocket 1.0 is not known, so no advisory can be looked up", "rocket 1.0 file-name at lib/rocket-1.0.jar"}},
		{name: "a common name fits the group of its classes", files: inLib(t, "core-1.0.jar", classes("com/acme/A")...),
			want: []string{"com.acme:core 1.0 file-name at lib/core-1.0.jar"}},
		{name: "a common name of foreign classes has no group", files: inLib(t, "core-1.0.jar", classes("de/else/A")...),
			want: []string{"? unmatched lib/core-1.0.jar: the Maven group of core 1.0 is not known, so no advisory can be looked up", "core 1.0 file-name at lib/core-1.0.jar"}},
		{name: "one name of two groups, both of which fit", files: inLib(t, "twice-api-1.0.jar", classes("com/acme/A", "net/twice/B")...),
			want: []string{"? unmatched lib/twice-api-1.0.jar: the Maven group of twice-api 1.0 is not known, so no advisory can be looked up", "twice-api 1.0 file-name at lib/twice-api-1.0.jar"}},
		{name: "the group of the table", files: inLib(t, "gson-2.8.5.jar", gson("com/google/gson")...),
			want: []string{"com.google.code.gson:gson 2.8.5 file-name at lib/gson-2.8.5.jar"}},

		{name: "Spring Boot", self: "app.jar", files: append(classes("org/springframework/boot/loader/JarLauncher", "BOOT-INF/classes/com/shop/App"),
			manifest("Main-Class: org.springframework.boot.loader.JarLauncher", "Start-Class: com.shop.App", "Spring-Boot-Version: 2.7.1"),
			file{name: "BOOT-INF/lib/acme-json-1.0.jar", data: zipOf(t, properties("com.acme.json", "acme-json", "1.0")), stored: true}),
			want: []string{"com.acme.json:acme-json 1.0 installed-metadata at BOOT-INF/lib/acme-json-1.0.jar!/META-INF/maven/com.acme.json/acme-json/pom.properties",
				"org.springframework.boot:spring-boot-loader 2.7.1 embedded-manifest at META-INF/MANIFEST.MF"}},
		{name: "Quarkus", files: []file{jarFile(t, "quarkus-app/lib/main/com.acme.json.acme-json-1.0.jar", classes("com/acme/json/A")...)},
			want: []string{"com.acme.json:acme-json 1.0 file-name at quarkus-app/lib/main/com.acme.json.acme-json-1.0.jar"}},
		{name: "Quarkus at the root", files: []file{jarFile(t, "lib/main/com.acme.json.acme-json-1.0.jar", classes("com/acme/json/A")...)},
			want: []string{"com.acme.json:acme-json 1.0 file-name at lib/main/com.acme.json.acme-json-1.0.jar"}},
		{name: "war in an ear", files: []file{jarFile(t, "shop.ear", jarFile(t, "web.war", jarFile(t, "WEB-INF/lib/acme-json-1.0.jar", properties("com.acme.json", "acme-json", "1.0"))))},
			want: []string{"com.acme.json:acme-json 1.0 installed-metadata at shop.ear!/web.war!/WEB-INF/lib/acme-json-1.0.jar!/META-INF/maven/com.acme.json/acme-json/pom.properties"}},
		{name: "merged with metadata", self: "shop-1.0.jar", files: append(classes("com/shop/App", "com/acme/json/A"), properties("com.shop", "shop", "1.0"), properties("com.acme.json", "acme-json", "1.0")),
			want: []string{"com.acme.json:acme-json 1.0 installed-metadata at META-INF/maven/com.acme.json/acme-json/pom.properties",
				"com.shop:shop 1.0 installed-metadata at META-INF/maven/com.shop/shop/pom.properties main"}},
		{name: "shaded and moved below the function's package", self: "shop.jar", files: append(classes("com/shop/App"), gson("com/shop/shaded/com/google/gson")...),
			want: []string{"com.google.code.gson:gson  class-set at com/shop/shaded/com/google/gson/Gson.class"}},
		{name: "shaded into another root", self: "shop.jar", files: append(classes("com/shop/App"), gson("shadow/json")...),
			want: []string{"com.google.code.gson:gson  class-set at shadow/json/internal/LinkedTreeMap.class"}},
		{name: "shaded with a version in a class", self: "shop.jar", files: append(append(classes("com/shop/App"), gson("x/gson")...), file{name: "x/gson/internal/GsonBuildConfig.class", data: classOf([]string{"2.10.1"})}),
			want: []string{"com.google.code.gson:gson 2.10.1 class-set at x/gson/internal/LinkedTreeMap.class"}},
		{name: "own classes alone", files: classes("com/shop/App", "com/shop/db/Rows")},
		{name: "archive of nameless classes", files: inLib(t, "x.jar", classes("com/one/A", "org/two/B")...),
			want: []string{"? opaque lib/x.jar: Java classes that no metadata and no known class set names: com/one (1), org/two (1)"}},
		{name: "merged without any metadata", self: "app.jar", files: append(classes("com/one/A", "org/two/B", "net/three/C"), manifest("Main-Class: com.one.A")),
			want: []string{"? opaque : Java classes that no metadata and no known class set names: net/three (1), org/two (1)"}},
		{name: "multi-release", files: inLib(t, "rocket-1.0.jar", append(classes("com/acme/A", "META-INF/versions/11/com/acme/A", "META-INF/versions/17/com/google/gson/Gson"), properties("com.acme", "rocket", "1.0"), manifest("Multi-Release: true"))...),
			want: []string{"com.acme:rocket 1.0 installed-metadata at lib/rocket-1.0.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "timestamped snapshot", files: inLib(t, "acme-json-1.0-20260102.030405-7.jar", classes("com/acme/json/A")...),
			want: []string{"com.acme.json:acme-json 1.0-20260102.030405-7 file-name at lib/acme-json-1.0-20260102.030405-7.jar"}},
		{name: "classifier", files: inLib(t, "acme-json-1.0-linux-x86_64.jar", properties("com.acme.json", "acme-json", "1.0")),
			want: []string{"com.acme.json:acme-json 1.0 (linux-x86_64) installed-metadata at lib/acme-json-1.0-linux-x86_64.jar!/META-INF/maven/com.acme.json/acme-json/pom.properties"}},
		{name: "sources are no package", files: inLib(t, "acme-json-1.0-sources.jar", text("com/acme/json/A.java", "class A {}"), manifest())},
		{name: "signed", files: inLib(t, "acme-json-1.0.jar", append(classes("com/acme/json/A"), manifest("Implementation-Version: 1.0", "Bundle-SymbolicName: com.acme.json.acme-json", "", "Name: com/acme/json/A.class", "SHA-256-Digest: AAAA", "Implementation-Version: 6"),
			text("META-INF/ACME.SF", "Signature-Version: 1.0"), text("META-INF/ACME.RSA", "x"))...),
			want: []string{"com.acme.json:acme-json 1.0 file-name at lib/acme-json-1.0.jar"}},
		{name: "duplicate name", files: inLib(t, "x.jar", properties("com.acme", "rocket", "1.0"), properties("com.acme", "rocket", "2.0")),
			want: []string{"? unreadable lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties: duplicate-name: listed 2 times with other content; readers differ in which one they take",
				"com.acme:rocket 1.0 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties older",
				"com.acme:rocket 2.0 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "zip of something else inside an archive", files: []file{jarFile(t, "x.jar", append(classes("com/shop/A", "com/shop/B"), jarFile(t, "data.zip", text("a.txt", "text")))...)},
			want: []string{"? opaque x.jar: Java classes that no metadata and no known class set names: com/shop (2)"}},
		{name: "zip of jars", files: []file{jarFile(t, "deps.zip", jarFile(t, "lib/a.jar", properties("com.acme", "rocket", "1.0")), text("readme.txt", "text"))},
			want: []string{"com.acme:rocket 1.0 installed-metadata at deps.zip!/lib/a.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "zip of a zip of jars and of code that nothing catalogues", files: []file{jarFile(t, "deps.zip", jarFile(t, "in.zip", jarFile(t, "lib/a.jar", properties("com.acme", "rocket", "1.0")),
			text("src/a.py", "import os"), text("b.js", "1"), text("run", "#!/bin/sh"), text("c.txt", "\x7fELF........")))},
			want: []string{"? opaque deps.zip!/in.zip: nested archive with 4 files of code that nothing catalogues: b.js, c.txt, run and 1 more",
				"com.acme:rocket 1.0 installed-metadata at deps.zip!/in.zip!/lib/a.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "tar in a zip", files: []file{jarFile(t, "deps.zip", text("a.tar.gz", "\x1f\x8b\x08......."), text("data.json.gz", "\x1f\x8b\x08......."))},
			want: []string{"? opaque deps.zip: nested archive with 1 file of code that nothing catalogues: a.tar.gz"}},
		{name: "jar that holds no Java", files: inLib(t, "x.jar", manifest("Created-By: somebody"), text("a.py", "import os"), text("static/site.js", "1"), text("node_modules/a/index.js", "1")),
			want: []string{"? opaque lib/x.jar: nested archive with 2 files of code that nothing catalogues: a.py, node_modules/a/index.js"}},
		{name: "what a library's own archive brings along", files: inLib(t, "x.jar", properties("com.acme", "rocket", "1.0"), text("native/librocket.so", "\x7fELF........"), text("bin/tool", "\x7fELF........"), text("a.py", "import os")),
			want: []string{"com.acme:rocket 1.0 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "native code and archives under other names", files: inLib(t, "x.jar", properties("com.acme", "rocket", "1.0"), text("notes.txt", "\x7fELF........"), jarFile(t, "style.css", properties("com.acme", "hidden", "1.0"))),
			want: []string{"? opaque lib/x.jar!/notes.txt: native code under the name of something else",
				"com.acme:hidden 1.0 installed-metadata at lib/x.jar!/style.css!/META-INF/maven/com.acme/hidden/pom.properties",
				"com.acme:rocket 1.0 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
		{name: "classes under another name", files: inLib(t, "x.jar", renamed(gson("com/google/gson"), ".txt")...),
			want: []string{"com.google.code.gson:gson  class-set at lib/x.jar!/com/google/gson/Gson.txt"}},
		{name: "too many attributes", files: inLib(t, "x.jar", append(classes("com/acme/json/A"), manifest(many("Name-%d: x", 1000)...))...),
			want: []string{"? limit lib/x.jar!/META-INF/MANIFEST.MF: more than 1000 main attributes in a manifest",
				"? opaque lib/x.jar: Java classes that no metadata and no known class set names: com/acme (1)"}},
		{name: "a manifest of a known group whose classes are another library's", files: inLib(t, "acme-json-1.0.jar", append(gson("com/google/gson"), manifest("Implementation-Vendor-Id: com.acme.json", "Bundle-SymbolicName: com.acme.json.acme-json", "Bundle-Version: 1.0"))...),
			want: []string{"? unmatched lib/acme-json-1.0.jar: the Maven group of acme-json 1.0 is not known, so no advisory can be looked up", "acme-json 1.0 file-name at lib/acme-json-1.0.jar",
				"com.google.code.gson:gson  class-set at lib/acme-json-1.0.jar!/com/google/gson/Gson.class"}},
		{name: "a nebula title that the classes refute", files: inLib(t, "x.jar", append(gson("com/google/gson"), manifest("Implementation-Title: com.acme#rocket;3.1"))...),
			want: []string{"com.google.code.gson:gson  class-set at lib/x.jar!/com/google/gson/Gson.class"}},
		{name: "archive under a name of something else", files: inLib(t, "x.jar", properties("com.acme", "rocket", "1.0"), jarFile(t, "payload.bin", properties("com.acme", "hidden", "1.0"))),
			want: []string{"com.acme:hidden 1.0 installed-metadata at lib/x.jar!/payload.bin!/META-INF/maven/com.acme/hidden/pom.properties",
				"com.acme:rocket 1.0 installed-metadata at lib/x.jar!/META-INF/maven/com.acme/rocket/pom.properties"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			self := tt.self
			if self == "" {
				self = "function.zip"
			}
			equal(t, render(scan(t, Options{Groups: groups}, self, zipOf(t, tt.files...))), tt.want)
		})
	}
}

// TestRootName scans a jar alone: under a library's file name it is the
// library, if it has the classes; else it is the function.
func TestRootName(t *testing.T) {
	for _, c := range []struct {
		name, file string
		files      []file
		want       []string
	}{
		{"a library", "log4j-core-2.14.1.jar", append(classes("org/apache/logging/log4j/core/Extra"), manifest()),
			[]string{"org.apache.logging.log4j:log4j-core 2.14.1 file-name at META-INF/MANIFEST.MF"}},
		{"a function called like a library", "core-1.0.jar", append(classes("com/acme/x/A"), manifest()), nil},
		{"a function", "orders-1.0.jar", append(classes("com/acme/x/A"), manifest()), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, render(scan(t, Options{}, c.file, zipOf(t, c.files...))), c.want)
		})
	}
}
