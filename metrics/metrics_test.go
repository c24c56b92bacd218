package metrics

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// testSets are sets as a server passes them.
func testSets() Sets {
	return Sets{
		Brands:         []string{"yealink", "snom"},
		Doors:          []string{"feature-code", "phone-app", "portal", "api", "cli"},
		LoginResults:   []string{"ok", "bad_credentials", "locked", "elsewhere", "desk_taken", "ask", "not_allowed", "unavailable", "error"},
		AlarmKinds:     []string{"decoy", "enumeration", "guessing", "contradiction", "network"},
		Acts:           []string{"login", "logout"},
		Ends:           []string{"logout", "idle"},
		Steps:          []string{"accepted", "bound", "notified", "acknowledged", "fetched", "registered", "lit"},
		StoreOps:       []string{"bind", "unbind", "contact_update"},
		Views:          []string{"presence", "live"},
		UpstreamStates: []string{"registered", "failed"}, UpstreamReasons: []string{"silent"},
	}
}

// testMetrics gives recorders and the registry they are in.
func testMetrics(t *testing.T) (*Metrics, *Registry) {
	t.Helper()
	reg := NewRegistry(Build{Version: "1.2.3", Revision: "abc", GoVersion: "go1.26"})
	return New(reg, testSets()), reg
}

// scrape gives what GET /metrics answers.
func scrape(t *testing.T, reg *Registry) string {
	t.Helper()
	rec := httptest.NewRecorder()
	Handler(reg, slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("GET /metrics: %d %s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

// record uses every method of every recorder once, with words of the sets.
func record(m *Metrics) {
	m.SIP.Request("REGISTER", 401)
	m.SIP.Dropped(DropTooBig)
	m.SIP.Refused("malformed")
	m.SIP.Refused("words nobody chose")
	m.SIP.ParseError()
	m.SIP.DigestFailure(DigestPassword)
	m.Registrar.SetCurrent(12)
	m.Registrar.Register(RegisterOK, 3*time.Millisecond)
	m.Flows.SetWatched(7)
	m.Upstream.SetRegistrations("registered", 3)
	m.Upstream.SetHops(2, 1)
	m.Upstream.Register("silent")
	m.Upstream.Call(UpstreamSent)
	m.Flows.Kept(KeepOptions, KeepSilent)
	m.Flows.Lost(1, 2)
	m.Flows.Revived(1)
	m.Logins.SetBindings(4)
	m.Logins.Login("feature-code", "ok")
	m.Logins.Ready(4 * time.Second)
	m.Logins.StepFailed("lit")
	m.Logins.Ended("idle")
	m.Audit.Recorded("login")
	m.Audit.Lockout("extension")
	m.Features.Call(FeatureLogin, FeatureOK)
	m.Reloads.Done("snom", ReloadReady, 4*time.Second)
	m.Reloads.Done("snom", ReloadFailed, 70*time.Second)
	m.Notifier.Notify("check-sync;reboot=false", "yealink", NotifyOK)
	m.Notifier.SetSubscriptions("dialog", 24)
	m.Provisioning.Request("yealink", 304)
	m.Store.PoolFrom(func() Pool { return Pool{Total: 5, Idle: 3, Hits: 100, Misses: 5, Timeouts: 1} })
	m.Store.Call("bind", time.Millisecond, nil)
	m.Store.Call("bind", time.Millisecond, errors.New("down"))
	m.Store.SetUp(true)
	m.Events.Lost("presence")
	m.HTTP.Panic(ServerPortal)
}

func TestEachRecorderMovesItsSeries(t *testing.T) {
	m, reg := testMetrics(t)
	record(m)
	got := strings.Split(scrape(t, reg), "\n")
	for _, want := range []string{
		`perch_build_info{goversion="go1.26",revision="abc",version="1.2.3"} 1`,
		`perch_sip_requests_total{code="401",method="REGISTER"} 1`,
		`perch_sip_dropped_total{reason="too_big"} 1`,
		`perch_sip_refused_total{reason="malformed"} 1`,
		`perch_sip_refused_total{reason="other"} 1`,
		`perch_session_ends_total{reason="idle"} 1`,
		`perch_audit_records_total{act="login"} 1`,
		`perch_lockouts_total{reason="extension"} 1`,
		`perch_sip_parse_errors_total 1`,
		`perch_digest_failures_total{reason="password"} 1`,
		`perch_registrations 12`,
		`perch_register_total{result="ok"} 1`,
		`perch_register_seconds_bucket{le="0.0025"} 0`,
		`perch_register_seconds_bucket{le="0.005"} 1`,
		`perch_flows_watched 7`,
		`perch_flow_keepalives_total{method="options",result="silent"} 1`,
		`perch_flow_contacts_total{result="freed"} 2`,
		`perch_flow_contacts_total{result="revived"} 1`,
		`perch_bindings 4`,
		`perch_logins_total{door="feature-code",result="ok"} 1`,
		`perch_logins_total{door="portal",result="locked"} 0`,
		`perch_login_ready_seconds_sum 4`,
		`perch_login_failed_steps_total{step="lit"} 1`,
		`perch_feature_calls_total{code="login",result="ok"} 1`,
		`perch_reload_seconds_count{brand="snom"} 1`,
		`perch_reload_seconds_count{brand="yealink"} 0`,
		`perch_reloads_total{brand="snom",result="failed"} 1`,
		`perch_notify_total{brand="yealink",event="check-sync",result="ok"} 1`,
		`perch_subscriptions{event="dialog"} 24`,
		`perch_provisioning_requests_total{brand="yealink",code="304"} 1`,
		`perch_redis_seconds_count{op="bind"} 2`,
		`perch_redis_errors_total{op="bind"} 1`,
		`perch_redis_up 1`,
		`perch_redis_pool_connections 5`,
		`perch_redis_pool_idle_connections 3`,
		`perch_redis_pool_hits_total 100`,
		`perch_redis_pool_misses_total 5`,
		`perch_redis_pool_timeouts_total 1`,
		`perch_events_lost_total{view="presence"} 1`,
		`perch_http_panics_total{server="portal"} 1`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("not in /metrics: %s", want)
		}
	}
}

func TestWordsOutsideTheSetsAreOther(t *testing.T) {
	m, reg := testMetrics(t)
	before := len(strings.Split(scrape(t, reg), "\n"))
	m.SIP.Request("HELLO\nworld", 299)
	m.SIP.Request("ACK", 0)
	m.SIP.Dropped("00:15:65:aa:bb:01")
	m.SIP.DigestFailure("1001")
	m.Registrar.Register("192.0.2.1", 0)
	m.Flows.Kept("1001", "192.0.2.1")
	m.Logins.Login("window", "1001")
	m.Logins.StepFailed("")
	m.Features.Call("*11*1001*4321", "4321")
	m.Reloads.Done("acme", "late", 0)
	m.Notifier.Notify("  talk ;x", "acme", "?")
	m.Notifier.SetSubscriptions("talk", 1)
	m.Provisioning.Request("", 777)
	m.Store.Call("GET 1001", 0, errors.New("x"))
	m.Events.Lost("1001")
	m.HTTP.Panic("1001")
	text := scrape(t, reg)
	if after := len(strings.Split(text, "\n")); after != before {
		t.Errorf("unknown words made %d series", after-before)
	}
	for _, want := range []string{
		`perch_sip_requests_total{code="other",method="other"} 1`,
		`perch_sip_requests_total{code="none",method="ACK"} 1`,
		`perch_logins_total{door="other",result="other"} 1`,
		`perch_feature_calls_total{code="other",result="other"} 1`,
		`perch_reloads_total{brand="other",result="other"} 1`,
		`perch_notify_total{brand="other",event="other",result="other"} 1`,
		`perch_provisioning_requests_total{brand="other",code="other"} 1`,
		`perch_redis_errors_total{op="other"} 1`,
		`perch_login_failed_steps_total{step="other"} 1`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("not in /metrics: %s", want)
		}
	}
}

func TestNilRecordersDoNothing(t *testing.T) {
	record(&Metrics{})
}

func TestTwoServersFitInOneProcess(t *testing.T) {
	one, first := testMetrics(t)
	_, second := testMetrics(t)
	one.HTTP.Panic(ServerPortal)
	if !strings.Contains(scrape(t, first), `perch_http_panics_total{server="portal"} 1`) ||
		!strings.Contains(scrape(t, second), `perch_http_panics_total{server="portal"} 0`) {
		t.Error("the second server counts the first one's panics")
	}
}

func TestNamesPassPromlint(t *testing.T) {
	m, reg := testMetrics(t)
	record(m)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestLabelsAreOfClosedSets holds that no label exists but those whose values
// are listed in this package or passed in as a set.
func TestLabelsAreOfClosedSets(t *testing.T) {
	allowed := []string{"method", "code", "reason", "result", "door", "step", "brand", "event", "op", "view", "server", "kind", "way", "act", "state"}
	m, reg := testMetrics(t)
	record(m)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "perch_") || f.GetName() == "perch_build_info" {
			continue
		}
		for _, series := range f.GetMetric() {
			for _, l := range series.GetLabel() {
				if !slices.Contains(allowed, l.GetName()) {
					t.Errorf("%s has the label %s", f.GetName(), l.GetName())
				}
			}
		}
	}
}

func BenchmarkLogin(b *testing.B) {
	m := New(NewRegistry(Build{}), testSets())
	b.ReportAllocs()
	for b.Loop() {
		m.Logins.Login("feature-code", "ok")
	}
}
