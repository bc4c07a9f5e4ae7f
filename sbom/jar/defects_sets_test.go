package jar

import (
	"slices"
	"strings"
	"testing"
)

// setClasses returns the classes that the table has for an artifact, below prefix.
func setClasses(t *testing.T, name, prefix string) []file {
	t.Helper()
	for i := range libraries().libraries {
		lib := &libraries().libraries[i]
		if lib.name == name {
			var paths []string
			for _, m := range lib.markers {
				paths = append(paths, prefix+lib.root+"/"+m)
			}
			return classes(paths...)
		}
	}
	t.Fatalf("the table has no classes of %s", name)
	return nil
}

// TestSetsThatOverlap holds that a class is evidence of one library only.
func TestSetsThatOverlap(t *testing.T) {
	own := classes("com/acme/app/Main")
	for _, c := range []struct {
		name  string
		files []file
		want  []string
	}{
		{"a binding of SLF4J is not slf4j-nop", classes("org/slf4j/impl/StaticLoggerBinder", "org/slf4j/impl/StaticMarkerBinder", "org/slf4j/impl/StaticMDCBinder"), nil},
		{"slf4j-nop 2", classes("org/slf4j/nop/NOPServiceProvider"), []string{"org.slf4j:slf4j-nop"}},
		{"tomcat-dbcp is not commons-dbcp", setClasses(t, "org.apache.tomcat:tomcat-dbcp", ""), []string{"org.apache.tomcat:tomcat-dbcp"}},
		{"tomcat-dbcp, relocated", setClasses(t, "org.apache.tomcat:tomcat-dbcp", "com/acme/shaded/"), []string{"org.apache.tomcat:tomcat-dbcp"}},
		{"commons-dbcp2 beside commons-pool2 is not tomcat-dbcp", slices.Concat(setClasses(t, "org.apache.commons:commons-dbcp2", ""),
			classes("org/apache/commons/pool2/impl/GenericKeyedObjectPool", "org/apache/commons/pool2/impl/GenericObjectPool")), []string{"org.apache.commons:commons-dbcp2"}},
		{"log4j 1.2 is not log4j-over-slf4j", slices.Concat(setClasses(t, "log4j:log4j", ""), setClasses(t, "org.slf4j:log4j-over-slf4j", "")), []string{"log4j:log4j"}},
		{"log4j 1.2 without what nobody calls", classes("org/apache/log4j/Logger", "org/apache/log4j/Category", "org/apache/log4j/helpers/LogLog", "org/apache/log4j/spi/LoggingEvent", "org/apache/log4j/Level", "org/apache/log4j/xml/DOMConfigurator", "org/apache/log4j/Priority"), []string{"log4j:log4j"}},
		{"reload4j by its metadata is not log4j", append(setClasses(t, "log4j:log4j", ""), properties("ch.qos.reload4j", "reload4j", "1.2.25")), []string{"ch.qos.reload4j:reload4j"}},
		{"mail", setClasses(t, "com.sun.mail:javax.mail", "com/acme/shaded/"), []string{"com.sun.mail:javax.mail"}},
		{"hutool-all is not hutool-core", slices.Concat(setClasses(t, "cn.hutool:hutool-all", ""), setClasses(t, "cn.hutool:hutool-core", "")), []string{"cn.hutool:hutool-all"}},
		{"log4j-over-slf4j", setClasses(t, "org.slf4j:log4j-over-slf4j", ""), []string{"org.slf4j:log4j-over-slf4j"}},
		{"xpp3 is not xpp3_min", slices.Concat(setClasses(t, "xpp3:xpp3", ""), setClasses(t, "xpp3:xpp3_min", "")), []string{"xpp3:xpp3"}},
		{"jline is not its modules", setClasses(t, "org.jline:jline", "com/acme/shaded/"), []string{"org.jline:jline"}},
		{"a module of jline", setClasses(t, "org.jline:jline-reader", ""), []string{"org.jline:jline-reader"}},
		{"a copy inside another library", slices.Concat(setClasses(t, "org.junit.jupiter:junit-jupiter-params", ""), setClasses(t, "com.univocity:univocity-parsers", "org/junit/jupiter/params/shadow/")),
			[]string{"org.junit.jupiter:junit-jupiter-params"}},
		{"aspectjweaver's asm", slices.Concat(setClasses(t, "org.aspectj:aspectjweaver", ""), setClasses(t, "org.ow2.asm:asm-tree", "aj/")), []string{"org.aspectj:aspectjweaver"}},
		{"modules that were moved together", slices.Concat(setClasses(t, "org.springframework:spring-core", "com/acme/shaded/"), setClasses(t, "org.springframework:spring-web", "com/acme/shaded/")),
			[]string{"org.springframework:spring-core", "org.springframework:spring-web"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			files := map[string]file{}
			for _, f := range slices.Concat(own, c.files) {
				files[f.name] = f
			}
			var unique []file
			for _, f := range files {
				unique = append(unique, f)
			}
			slices.SortFunc(unique, func(a, b file) int { return strings.Compare(a.name, b.name) })
			for _, p := range scan(t, Options{}, "f.jar", zipOf(t, unique...)).Packages {
				got = append(got, p.Name())
			}
			slices.Sort(got)
			equal(t, got, c.want)
		})
	}
}
