package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"perch/internal/event"
	"perch/portal/api"
)

// TestAHundredLoginsAtTwoNodes: a hundred logins at once by the API of two nodes,
// each at both under one id, of five people at seven desks, two of which are one.
// Each request has one answer, whichever node gave it first; nobody sits twice and
// no seat is shared; every binding was told of once, and so was its end.
func TestAHundredLoginsAtTwoNodes(t *testing.T) {
	t.Parallel()
	one, two := twoNodes(t, furnished())
	macs := []string{yealinkDesk, yealinkDesk2, snomDesk, snomDesk2, panasonicDesk, bareDesk2}
	type said struct {
		status int
		body   string
	}
	answers := make([][2]said, 100)
	var g sync.WaitGroup
	start := make(chan struct{})
	for i := range answers {
		body, err := json.Marshal(api.LoginBody{
			Tenant: "acme", Extension: fmt.Sprint(1001 + i%5), MAC: macs[(i*7)%len(macs)], RequestID: fmt.Sprintf("request-%03d", i),
		})
		if err != nil {
			t.Fatal(err)
		}
		for node, o := range []*office{one, two} {
			g.Go(func() {
				<-start
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, httpURL(o.Addresses().Portal)+api.Prefix+"/login", bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Authorization", "Bearer "+o.Token().Reveal())
				r.Header.Set("Content-Type", "application/json")
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Error(err)
				}
				answers[i][node] = said{resp.StatusCode, string(text)}
			})
		}
	}
	close(start)
	g.Wait()
	for i, a := range answers {
		if a[0] != a[1] || a[0].status != http.StatusOK {
			t.Errorf("request %d: %+v at one node, %+v at the other", i, a[0], a[1])
		}
	}
	all, err := two.Store().AllSeats(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	bound, at := 0, map[string]map[string]bool{}
	for mac, s := range all {
		if len(s.Bindings) > 1 {
			t.Errorf("%s is shared: %+v", mac, s.Bindings)
		}
		for _, b := range s.Bindings {
			bound++
			place := b.Desk
			if place == "" {
				place = mac.String()
			}
			if at[b.Number] == nil {
				at[b.Number] = map[string]bool{}
			}
			at[b.Number][place] = true
		}
	}
	for number, places := range at {
		if len(places) > 1 {
			t.Errorf("%s sits at %v", number, places)
		}
	}
	if began, ended := one.tally(event.BindingCreated), one.tally(event.BindingEnded); began-ended != bound || bound == 0 {
		t.Errorf("%d began and %d ended, but %d sit", began, ended, bound)
	}
	if a, b := all[device(t, yealinkDesk).MAC], all[device(t, snomDesk).MAC]; len(a.Bindings) != len(b.Bindings) || len(a.Bindings) == 1 && a.Bindings[0].Number != b.Bindings[0].Number {
		t.Errorf("the two phones of one desk: %+v and %+v", a.Bindings, b.Bindings)
	}
}
