package directory

// Languages are those that Perch can speak, the default first, each by its
// two-letter ISO 639 code.
func Languages() []string { return []string{"en", "de"} }

// Spoken is the language of prompts and phone screens for an extension of the tenant, or for
// nobody in particular with an empty one: always one of Languages.
func (t Tenant) Spoken(extension string) string {
	for _, l := range []string{extension, t.Language} {
		for _, known := range Languages() {
			if l == known {
				return l
			}
		}
	}
	return Languages()[0]
}
