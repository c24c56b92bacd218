package config

import (
	"slices"
	"strings"

	"perch/hotdesk/directory"
)

// readEnvironment lays the variables of the settings over what the file said.
// A list is separated by commas.
func (l *loader) readEnvironment(environ []string) {
	set := variables(environ)
	for _, x := range l.all {
		value := set[x.env()]
		if value == "" {
			continue
		}
		l.env = append(l.env, x.path)
		fault := func(err error) {
			l.faults = append(l.faults, directory.Fault{File: "environment", Key: x.path, Message: x.env() + " " + err.Error()})
		}
		if !x.isList() {
			if err := setText(x.value, value); err != nil {
				fault(err)
			}
			continue
		}
		items := strings.Split(value, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		faults := x.setList(items)
		for i := range items {
			if faults[i] != nil {
				fault(faults[i])
			}
		}
	}
}

// variables are those that begin like ours.
func variables(environ []string) map[string]string {
	out := map[string]string{}
	for _, v := range environ {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PERCH_") {
			out[name] = value
		}
	}
	return out
}

// UnknownEnvironment lists the variables of environ that begin with PERCH_ and
// are no setting, for a warning. They are no error, because others make such
// variables too: Kubernetes does for a service named perch.
func UnknownEnvironment(environ []string) []string {
	var c Config
	set := variables(environ)
	for _, x := range leaves(&c) {
		delete(set, x.env())
	}
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
