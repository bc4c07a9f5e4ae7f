// Package trust says what speaks against a dependency besides advisories: where
// it came from, what it does when it is installed, whose name it bears, how it
// is attested. Its rules are pure functions over components, their traits and
// what registries say of them; what must read the shipped bytes is package
// integrity's business.
package trust
