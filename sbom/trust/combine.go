package trust

import "slices"

// youngPackage is how long a package must have been there for its age to say
// nothing about a name that looks like another.
const youngPackage = 90 * day

// combine weighs together what is weak alone: of each component whose name
// looks like another's, one thing more makes it medium, two make it high, and
// so does a record that the package is malware. What nobody could be asked
// about raises nothing: it is not known. A private name from elsewhere is said
// once, although its registry is also none of the policy's.
func combine(of *Of, list []Signal) []Signal {
	confused := map[string]bool{}
	for i := range list {
		if list[i].Rule == RuleConfusion {
			confused[list[i].Component] = true
		}
	}
	list = slices.DeleteFunc(list, func(s Signal) bool { return s.Rule == RuleRegistry && confused[s.Component] })
	against := map[string]int{} // component whose name looks like another's -> what else speaks against it
	for i := range list {
		if s := &list[i]; s.Rule == RuleLookalike {
			against[s.Component] = 0
			if st := of.Standings[s.Component]; st != nil && !st.First.IsZero() && of.Now.Sub(st.First) < youngPackage {
				against[s.Component]++
			}
		}
	}
	for i := range list {
		s := &list[i]
		if _, ok := against[s.Component]; !ok || s.Rule == RuleLookalike || s.Rule == RulePackageYoung || s.Rule == RuleVersionYoung {
			continue // of its age once
		}
		if s.Weight >= Medium || s.Rule == RuleUnknownName || s.Rule == RuleUnknownVersion || s.Rule == RuleSoleMaintainer || s.Rule == RuleInstallScript && s.Weight > Note {
			against[s.Component]++
		}
	}
	for i := range list {
		s := &list[i]
		if s.Rule != RuleLookalike {
			continue
		}
		switch n := against[s.Component]; {
		case of.Malware[s.Component] || n > 1:
			s.Weight = High
		case n == 1:
			s.Weight = Medium
		}
	}
	return list
}
