package phoneapp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/apply"
	"perch/internal/credential"
	"perch/internal/store"
	"perch/provisioning/brand"
	"perch/provisioning/brand/yealink"
	"perch/provisioning/device"
	"perch/provisioning/phoneapp"
	"perch/sip/digest"
)

const office = `
tenants:
  - code: acme
    domains: [acme.test]
    policy: {on_occupied: %s}
    sites: [{code: berlin, time_zone: Europe/Berlin}]
    extensions:
      - {number: "1001", name: Ada Lovelace, pin: "4321"}
      - {number: "1002", name: 'Grace <&"''> ]]> Hopper', pin: "8642"}
      - {number: "1003", name: Far Away, pin: "7531", policy: {sites: [berlin]}}
    devices:
`

// world is the pages over the real engine, door and in-process store.
type world struct {
	t     *testing.T
	store *store.Store
	key   *credential.Key
	http  *httptest.Server
	logs  *lines

	two bool // there are two addresses

	mu     sync.Mutex
	down   bool
	now    time.Time
	pins   []hotdesk.PINChange
	refuse *hotdesk.Refused // the next change of a PIN
	places []string
}

// lines is a log that may be written to and read at once.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// brands are those whose pages the test drives. The list of all is for those
// who wire a server.
func newWorld(t *testing.T, occupied string, brands brand.List, devices ...string) *world {
	t.Helper()
	return (&world{t: t, logs: &lines{}, now: time.Now()}).open(occupied, brands, devices...)
}

func (w *world) open(occupied string, brands brand.List, devices ...string) *world {
	t := w.t
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if w.store, err = store.Open(t.Context(), store.Options{URL: store.Memory, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if w.key, err = credential.FromBytes(bytes.Repeat([]byte{7}, credential.KeySize)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, b := range brands {
		names = append(names, string(b.Name))
	}
	text := fmt.Sprintf(office, occupied)
	for _, d := range devices {
		text += "      - " + d + "\n"
	}
	applier := apply.New(written{w.store}, w.key, credential.DeviceSecret, names)
	if _, err := applier.Apply(t.Context(), apply.Request{Name: "office.yaml", File: strings.NewReader(text)}, nil); err != nil {
		t.Fatal(err)
	}
	reloads := reload.NewDesk(w.store, w.store, w.store, nil)
	nonces := digest.NewNonces([]byte("key"), "node", "boot", time.Minute, time.Now)
	parts := phoneapp.Parts{
		Brands: brands,
		Door:   device.NewDoor(device.Parts{Store: w, Tokens: w.key, Nonces: nonces}),
		Desk: hotdesk.New(hotdesk.Parts{
			Directory: w.store, Seating: w.store, Attempts: w.store, PINs: w.key, News: w.store, Log: quiet, Session: credential.NewSessionID,
		}),
		Reloads: reloader{reloads}, Records: w.store, Key: w.key.SubKey("phone app"),
		Root: func(r *http.Request) string { return "http://" + r.Host + "/" },
		Log:  slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:  func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },

		People: w, PINs: w, Codes: w,
	}
	if w.two {
		parts.Places = w
	}
	h, err := phoneapp.New(parts)
	if err != nil {
		t.Fatal(err)
	}
	w.http = httptest.NewServer(h)
	t.Cleanup(w.http.Close)
	return w
}

type reloader struct{ desk *reload.Desk }

func (r reloader) Reload(ctx context.Context, id string, d directory.DeviceID) error {
	return r.desk.Request(ctx, reload.Order{ID: id, Device: d, Door: hotdesk.PhoneApp})
}

type written struct{ *store.Store }

func (w written) Write(ctx context.Context, c directory.Changes, progress func(int)) error {
	var out store.Changes
	for _, t := range c.Tenants {
		out.Tenants = append(out.Tenants, *t.New)
	}
	for _, e := range c.Extensions {
		out.Extensions = append(out.Extensions, *e.New)
	}
	for _, d := range c.Devices {
		out.Devices = append(out.Devices, *d.New)
	}
	return w.WriteDirectory(ctx, out, progress)
}

// DeviceByMAC implements device.Store.
func (w *world) DeviceByMAC(ctx context.Context, mac directory.MAC) (device.Record, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.down {
		return device.Record{}, hotdesk.ErrUnavailable
	}
	d, _, err := w.store.DeviceByMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return device.Record{}, device.ErrUnknown
	}
	return device.Record{Device: d}, err
}

// TenantExists implements device.Store.
func (w *world) TenantExists(context.Context, directory.TenantCode) (bool, error) { return false, nil }

func (w *world) Shown(context.Context, directory.Device, int) error { return nil }

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) id(mac string) directory.DeviceID {
	w.t.Helper()
	m, err := directory.ParseMAC(mac)
	if err != nil {
		w.t.Fatal(err)
	}
	return directory.DeviceID{Tenant: "acme", MAC: m}
}

// menu is the URL that a device's configuration hands out.
func (w *world) menu(mac string) string {
	id := w.id(mac)
	return w.http.URL + "/" + phoneapp.Path(w.key.DeviceToken(id.Tenant, id.MAC, 0), id.MAC)
}

// sits gives the number at a device, empty when nobody sits there.
func (w *world) sits(mac string) string {
	w.t.Helper()
	seats, err := w.store.Seats(w.t.Context(), w.id(mac))
	if err != nil {
		w.t.Fatal(err)
	}
	b, _ := seats.At(1)
	return b.Number
}

// ends gives the device's newest trace an end.
func (w *world) ends(mac string, state trace.State, steps ...trace.Step) trace.Trace {
	w.t.Helper()
	t, err := w.store.Trace(w.t.Context(), w.id(mac))
	if err != nil {
		w.t.Fatal(err)
	}
	t.State, t.Steps = state, append(t.Steps, steps...)
	if err := w.store.SaveTrace(w.t.Context(), t); err != nil {
		w.t.Fatal(err)
	}
	return t
}

// seat logs somebody in by another door.
func (w *world) seat(mac, number string) {
	w.t.Helper()
	w.seatBy(mac, number, credential.NewToken().Reveal())
}

func (w *world) seatBy(mac, number, id string) {
	w.t.Helper()
	_, err := hotdesk.New(hotdesk.Parts{
		Directory: w.store, Seating: w.store, Attempts: w.store, PINs: w.key, News: w.store,
		Log: slog.New(slog.DiscardHandler), Session: credential.NewSessionID,
	}).Login(w.t.Context(), hotdesk.LoginRequest{
		ID: id, At: time.Now(), Door: hotdesk.API, Device: w.id(mac), Number: number, Admin: true, Source: "test",
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

const (
	desk  = "001565aabb01"
	desk2 = "001565aabb02"
)

// yealinks is a world of two phones.
func yealinks(t *testing.T, occupied string) *world {
	return newWorld(t, occupied, brand.List{yealink.Brand()},
		"{mac: "+desk+", brand: yealink, model: T46U, desk: 'Berlin <3>', site: berlin}",
		"{mac: "+desk2+", brand: yealink, model: T46U}")
}

// must fails the test when a text lacks one of these.
func must(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Fatalf("no %q in %q", want, text)
		}
	}
}
