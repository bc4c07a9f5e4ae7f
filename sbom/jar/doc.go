// Package jar finds the Java packages inside an archive: a Java archive of any
// kind (jar, war, ear, aar), a function's zip with classes and lib/*.jar, and
// whatever archives are nested in them, read in place.
//
// # What names a package
//
// From the strongest evidence to the weakest:
//
//   - META-INF/maven/GROUP/ARTIFACT/pom.properties and pom.xml, which Maven
//     writes for the artifact and which a fat jar keeps for every artifact that
//     was merged into it (https://maven.apache.org/shared/maven-archiver, as of
//     2026-11).
//   - The archive's file name, ARTIFACT-VERSION[-CLASSIFIER].jar, with what the
//     manifest says. Where the two disagree the file name wins: a manifest is
//     copied along when archives are merged, a name is not.
//   - Class sets: classes that together are one library's and nobody else's,
//     also when a shading tool moved them into another package. The table is
//     libraries.txt. Where the bytes carry the version it is read from there,
//     else the package has none.
//
// A group id that no metadata states is looked up among the names that the
// advisory store knows, then in the table; failing that it stays unknown and
// the package is reported as one that cannot be matched.
//
// # What does not
//
// Classes of the function itself, archives of sources and documentation, and
// the classes for newer Java versions under META-INF/versions are no packages.
//
// Code of other languages in a nested archive is not catalogued. Files are told
// by their first bytes, whatever they are called: what a library's own archive
// brings along is the library's, unless it is native code under the name of
// something else; in any other archive such code is an unknown.
//
// # Bounds
//
// Nesting, sizes, the number of archives and of everything else that an archive
// claims are bounded by Options; what lies beyond is an sbom.Unknown that
// concerns code, so that no verdict passes over it.
package jar
