package jar

import "testing"

// TestGroupIsSupported holds that no group is given to a jar whose classes say
// another: a wrong group hides the advisories of the right one.
func TestGroupIsSupported(t *testing.T) {
	unknown := func(file, name string) []string {
		return []string{"? unmatched lib/" + file + ": the Maven group of " + name + " is not known, so no advisory can be looked up", name + " file-name at lib/" + file}
	}
	stores := map[string][]string{"shared-thing": {"com.acme.things"}, "parts": {"org.example.one", "org.example.two"}, "akka-http-core_2.13": {"com.typesafe.akka"}}
	opts := Options{Groups: func(artifact string) []string { return stores[artifact] }}
	for _, c := range []struct {
		name, file string
		files      []file
		want       []string
	}{
		{"a common id in foreign classes", "core-1.0.0.jar", classes("com/acme/x/A"), unknown("core-1.0.0.jar", "core 1.0.0")},
		{"a common id in classes of the same host", "core-1.0.0.jar", classes("com/google/other/A"), unknown("core-1.0.0.jar", "core 1.0.0")},
		{"a common id without a class", "core-1.0.0.jar", []file{manifest()}, unknown("core-1.0.0.jar", "core 1.0.0")},
		{"a common id in its own classes", "core-3.5.0.jar", classes("com/google/zxing/Reader"), []string{"com.google.zxing:core 3.5.0 file-name at lib/core-3.5.0.jar"}},
		{"a telling id in foreign classes", "jackson-databind-2.9.8.jar", classes("com/acme/x/A"), unknown("jackson-databind-2.9.8.jar", "jackson-databind 2.9.8")},
		{"the store's only group in foreign classes", "shared-thing-1.0.jar", classes("net/other/A"), unknown("shared-thing-1.0.jar", "shared-thing 1.0")},
		{"several groups of the store", "parts-1.0.jar", classes("org/example/A"), unknown("parts-1.0.jar", "parts 1.0")},
		{"the group that most classes lie in", "parts-1.0.jar", classes("org/example/two/A", "org/example/two/B", "org/example/A"), []string{"org.example.two:parts 1.0 file-name at lib/parts-1.0.jar"}},
		{"a package called like the artifact", "h2-1.4.200.jar", classes("org/h2/Driver"), []string{"com.h2database:h2 1.4.200 file-name at lib/h2-1.4.200.jar"}},
		{"a package of the group's other artifacts", "asm-all-5.0.jar", classes("org/objectweb/asm/Type"), []string{"org.ow2.asm:asm-all 5.0 file-name at lib/asm-all-5.0.jar"}},
		{"a stated group of the classes' organisation", "akka-actor_2.13-2.6.20.jar",
			append(classes("akka/actor/Actor"), manifest("Implementation-Title: akka-actor", "Implementation-Version: 2.6.20", "Implementation-Vendor-Id: com.typesafe.akka")),
			[]string{"com.typesafe.akka:akka-actor_2.13 2.6.20 file-name at lib/akka-actor_2.13-2.6.20.jar"}},
		{"a stated group of nobody's", "akka-actor_2.13-2.6.20.jar",
			append(classes("net/other/Actor"), manifest("Implementation-Vendor-Id: com.typesafe.akka")), unknown("akka-actor_2.13-2.6.20.jar", "akka-actor_2.13 2.6.20")},
		{"a group whose package is another's word", "kotlin-stdlib-jdk8-1.9.0.jar", classes("kotlin/io/A"), []string{"org.jetbrains.kotlin:kotlin-stdlib-jdk8 1.9.0 file-name at lib/kotlin-stdlib-jdk8-1.9.0.jar"}},
		{"the API of a specification", "tomcat-servlet-api-9.0.70.jar", classes("javax/servlet/Servlet"), []string{"org.apache.tomcat:tomcat-servlet-api 9.0.70 file-name at lib/tomcat-servlet-api-9.0.70.jar"}},
		{"a package called like the group", "ojdbc-thing-1.0.jar", append(classes("oracle/jdbc/A"), manifest("Implementation-Vendor-Id: com.oracle.database")), []string{"com.oracle.database:ojdbc-thing 1.0 file-name at lib/ojdbc-thing-1.0.jar"}},
		{"no class to contradict a telling id", "netty-tcnative-boringssl-static-2.0.46.Final.jar", []file{manifest()}, []string{"io.netty:netty-tcnative-boringssl-static 2.0.46.Final file-name at lib/netty-tcnative-boringssl-static-2.0.46.Final.jar"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, render(scan(t, opts, "f.zip", zipOf(t, inLib(t, c.file, c.files...)...))), c.want)
		})
	}
}
