package jar

import (
	"fmt"
	"strings"
	"testing"
)

// TestPOMRequires: what a package needs to run, and nothing that is only for its
// build, its tests, its users' choice or somebody else's table.
func TestPOMRequires(t *testing.T) {
	pom, err := ParsePOM([]byte(`<project>
	<parent><groupId>org.parent</groupId><artifactId>parent</artifactId><version>1</version></parent>
	<groupId>org.own</groupId><artifactId>top</artifactId><version>1.0</version>
	<properties><log.group>org.log</log.group></properties>
	<dependencies>
		<dependency><groupId>org.a</groupId><artifactId>plain</artifactId><version>1</version><exclusions><exclusion><groupId>org.x</groupId><artifactId>not</artifactId></exclusion></exclusions></dependency>
		<dependency><groupId>org.a</groupId><artifactId>runtime</artifactId><scope>runtime</scope></dependency>
		<dependency><groupId>org.a</groupId><artifactId>test</artifactId><scope>test</scope></dependency>
		<dependency><groupId>org.a</groupId><artifactId>provided</artifactId><scope>provided</scope></dependency>
		<dependency><groupId>org.a</groupId><artifactId>choice</artifactId><optional>true</optional></dependency>
		<dependency><groupId>org.a</groupId><artifactId>tests</artifactId><type>test-jar</type></dependency>
		<dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId></dependency>
		<dependency><groupId>${log.group}</groupId><artifactId>core</artifactId></dependency>
		<dependency><groupId>${nobody}</groupId><artifactId>knows</artifactId></dependency>
		<dependency><groupId>org.a</groupId></dependency>
		<dependency><groupId>org.a</groupId><artifactId>plain</artifactId></dependency>
	</dependencies>
	<dependencyManagement><dependencies><dependency><groupId>org.a</groupId><artifactId>managed</artifactId></dependency></dependencies></dependencyManagement>
	<profiles><profile><dependencies><dependency><groupId>org.a</groupId><artifactId>profile</artifactId></dependency></dependencies></profile></profiles>
	<build><plugins><plugin><dependencies><dependency><groupId>org.a</groupId><artifactId>plugin</artifactId></dependency></dependencies></plugin></plugins></build>
</project>`))
	if got := fmt.Sprint(pom.Requires); err != nil || got != "[org.a:plain org.a:runtime org.log:core org.own:sibling]" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestPOMRequiresHostile(t *testing.T) {
	var b strings.Builder
	b.WriteString("<project><artifactId>a</artifactId><dependencies>")
	for i := range 3 * maxRequires {
		fmt.Fprintf(&b, "<dependency><groupId>g</groupId><artifactId>a%d</artifactId></dependency>", i)
	}
	b.WriteString("</dependencies></project>")
	if pom, err := ParsePOM([]byte(b.String())); err != nil || len(pom.Requires) != maxRequires {
		t.Errorf("%d, %v", len(pom.Requires), err)
	}
	for _, text := range []string{"<dependencies><dependency>", "<project><dependencies><dependency/></dependencies></project>", "<project><artifactId>a</artifactId><dependencies><dependency><groupId><groupId>x</groupId></groupId></dependency></dependencies></project>"} {
		if pom, _ := ParsePOM([]byte(text)); len(pom.Requires) != 0 {
			t.Errorf("%q: %v", text, pom.Requires)
		}
	}
}
