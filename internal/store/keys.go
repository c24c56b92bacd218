package store

import "perch/hotdesk/directory"

// All keys are named here. A tenant's carry its code as hash tag, so that one
// script runs on one Redis Cluster slot. Fields of the hashes:
//
//	extensions     number -> directory.Extension       devices   MAC -> directory.Device
//	phones         MAC -> directory.Phone              seats     MAC -> hotdesk.Seats
//	logins         number -> [{"mac","line","since","desk"}]  contacts  AOR user -> location.Set
//	subscriptions  id -> presence.Subscription         traces    MAC -> trace.Trace
//	reloads        MAC -> reload.Intent                calls     id -> calls.Call, up
//	calls-past     id -> calls.Call, ended             lamps     number -> version of its state
//	dialogs        MAC -> {id of a call: lease end, ms}
//	active         MAC -> ms of the last call or touch  warned    "MAC/line" -> {session, end}
//
//	desks          code -> directory.Desk              desk-of   "MAC/line" -> code
//
// seated is the set of "MAC/line" with a binding; contact-expiry, sub-expiry,
// reload-due, call-due and calls-past-due are sorted sets by Unix ms; so is
// timers, of the "MAC/line" that are to be looked at.
func key(t directory.TenantCode, name string) string { return "{" + string(t) + "}:" + name }

// Names of a tenant's keys.
const (
	kTenant        = "tenant"
	kExtensions    = "extensions"
	kDevices       = "devices"
	kPhones        = "phones"
	kSeats         = "seats"
	kSeated        = "seated"
	kLogins        = "logins"
	kContacts      = "contacts"
	kContactExpiry = "contact-expiry" // member: AOR user, NUL, contact URI
	kContactRev    = "contact-rev"    // counter: revisions of contacts never come back
	kSubscriptions = "subscriptions"
	kSubExpiry     = "sub-expiry" // member: id
	kTraces        = "traces"
	kReloads       = "reloads"
	kReloadDue     = "reload-due" // member: MAC
	kDialogs       = "dialogs"
	kCalls         = "calls"
	kCallDue       = "call-due" // member: id; when to ask whether the call is still up
	kCallsPast     = "calls-past"
	kCallsPastDue  = "calls-past-due" // member: id; when it is forgotten
	kCallRev       = "call-rev"       // counter: revisions of calls, versions of lamps
	kLamps         = "lamps"
	kTimers        = "timers" // member: "MAC/line"
	kActive        = "active"
	kWarned        = "warned"
	kProofs        = "proofs"      // hash: MAC -> directory.Proofs
	kLockouts      = "lockouts"    // sorted set: "number|source" with failures, by when they are forgotten
	kGuessed       = "guessed"     // sorted set: number with failures, by when they are forgotten
	kAudit         = "audit"       // stream: r (audit.Record), p (person)
	kAuditSeen     = "audit-seen"  // sorted set: event id, by when it was recorded
	kAuditLast     = "audit-last"  // "ms-seq" of the last record
	kAuditLate     = "audit-late"  // how much later than its time a record was written at most, ms
	kPeople        = "people"      // hash: person -> number, or the pseudonym
	kPersonOf      = "person-of"   // hash: number -> person
	kPersonSeen    = "person-seen" // sorted set: person by the last record, Unix ms
	kQR            = "qr"          // hash: codes that phones show, see qr.lua
	kEvents        = "events"
	kDesks         = "desks"
	kDeskOf        = "desk-of"
	kUpstreams     = "upstreams"    // number -> registration.Record
	kUpstreamDue   = "upstream-due" // member: number
	kTodo          = "todo"         // set: what a change of the directory has to do outside of this slot
)

// keyRequest remembers the answer to one request id.
func keyRequest(t directory.TenantCode, id string) string { return key(t, "request:"+id) }

// keySubsOf is the set of "<session or ->|<subscription id>" of one watcher: a
// MAC, or the number of a static password.
func keySubsOf(t directory.TenantCode, watcher string) string { return key(t, "subs-of:"+watcher) }

// keyLock counts the PIN failures of an extension from one source; keyGuesses
// those from all sources; keyGood marks a source that succeeded.
func keyLock(e directory.ExtensionID, source string) string {
	return key(e.Tenant, "lock:"+e.Number+"|"+source)
}

func keyGuesses(e directory.ExtensionID) string { return key(e.Tenant, "guesses:"+e.Number) }

func keyGood(e directory.ExtensionID, source string) string {
	return key(e.Tenant, "good:"+e.Number+"|"+source)
}

// keyMAC and keyDomain are the two global indexes; their value is the tenant.
func keyMAC(m directory.MAC) string { return "mac:" + m.String() }

func keyDomain(name string) string { return "domain:" + name }

// Global keys.
const (
	kAllTenants  = "tenants"
	kFingerprint = "server-key"
	kApplied     = "applied" // hash: file name -> digest when last applied
	// The tag is no tenant's code.
	kPending     = "{*}:pending"      // hash: MAC -> Pending
	kBans        = "{*}:bans"         // sorted set: address by when its ban ends, Unix ms
	kUnbans      = "{*}:unbans"       // sorted set: address by when its ban was lifted, Unix ms
	kPendingSeen = "{*}:pending-seen" // sorted set: MAC by when it was last seen, Unix ms
)
