package brand

import "time"

// Recipe is how a brand is told to take its configuration: attempts in order,
// each tried when the one before did not bring what it should.
type Recipe struct {
	Attempts []Attempt
	// Challenged tells that such a phone answers the NOTIFY with a 401 by
	// default. Every 401 is answered, expected or not.
	Challenged bool
	// Push writes the settings by which the file that the phone has and the one
	// that it shall have differ as one NOTIFY, which the phone takes where its
	// configuration has Desk.Push set. False: this change needs the file. Nil: the
	// brand takes no settings by NOTIFY.
	Push func(has, shall []byte) (Attempt, bool)
}

// PushWait is how long a phone may take to register with settings that were
// pushed, before it is told to fetch its file instead.
const PushWait = 8 * time.Second

// Attempt is one NOTIFY.
type Attempt struct {
	Event       string // Event header with its parameters
	ContentType string // empty when there is no body
	Body        []byte
	Reboot      bool // the phone restarts: its calls must be over, and it is away for a while
	// Wait is how long the phone may take to fetch its file before the next
	// attempt. A NOTIFY must not be repeated sooner: a phone that is rebooting
	// answers nothing, and one that is reloading begins again.
	Wait time.Duration
}

// CheckSync is the recipe of phones that know `check-sync;reboot=`: reload
// twice, then reboot once.
func CheckSync(reload, reboot time.Duration) Recipe {
	return Recipe{Attempts: []Attempt{
		{Event: "check-sync;reboot=false", Wait: reload},
		{Event: "check-sync;reboot=false", Wait: reload},
		{Event: "check-sync;reboot=true", Reboot: true, Wait: reboot},
	}}
}
