package location

// Param gives the value of a URI parameter by its name in lower case, and
// whether it is there; one without a value is there and empty.
func (u URI) Param(name string) (string, bool) { return lookup(u.params, name) }
