package phoneapp

import "perch/hotdesk"

// German is every text with its German one.
func German() map[string]string { return german }

// Words are a refusal as a person reads it.
func Words(no *hotdesk.Refused, language string) string {
	return (&visit{language: language}).words(no)
}
