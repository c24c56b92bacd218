package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"go.yaml.in/yaml/v3"

	"perch/configs"
	"perch/hotdesk/directory"
	"perch/internal/sim"
)

type person struct {
	Number, Name, PIN string
}

type desktop struct {
	MAC, Brand, Model, Desk, Secret string
	phone                           *sim.Phone
}

// read takes the people, PINs and secrets from the demo's directory file: the
// store has them only as hashes.
func (d *demo) read() error {
	var file struct {
		Tenants []struct {
			Extensions []person
			Devices    []desktop
		}
	}
	if err := yaml.Unmarshal(configs.Demo(), &file); err != nil {
		return fmt.Errorf("demo directory: %w", err)
	}
	d.names, d.labels = map[string]string{}, map[string]string{}
	for _, t := range file.Tenants {
		d.people, d.desks = append(d.people, t.Extensions...), append(d.desks, t.Devices...)
	}
	for _, p := range d.people {
		d.names[p.Number] = p.Name
	}
	for i := range d.desks {
		mac, err := directory.ParseMAC(d.desks[i].MAC)
		if err != nil {
			return fmt.Errorf("demo directory: %w", err)
		}
		d.desks[i].MAC = mac.String()
		d.labels[mac.String()] = d.desks[i].Desk
	}
	return nil
}

// office is the day: every few seconds somebody sits down somewhere, or leaves.
func (d *demo) office(ctx context.Context) error {
	if d.desks[0].phone.Await(ctx, func(s sim.State) bool { return s.Registered }) != nil {
		return nil // the demo was ended
	}
	tick := time.NewTicker(d.every)
	defer tick.Stop()
	for n := 0; ; n++ {
		phone, code := d.plan(n)
		if s := phone.State(); s.Registered && !s.InCall && s.Phase == sim.PhaseRunning {
			d.tasks.Go(func() { d.dial(ctx, phone, code) })
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.app.life.fault:
			return err
		case <-tick.C:
		}
	}
}

// forVisitors is how many people and desks, the last ones, the demo leaves to
// whoever tries its commands.
const forVisitors = 2

// plan says who does what: first everybody sits down at a desk each, then
// people wander, and now and then somebody leaves.
func (d *demo) plan(n int) (phone *sim.Phone, code string) {
	people, desks := d.people[:len(d.people)-forVisitors], d.desks[:len(d.desks)-forVisitors]
	who, desk := people[n%len(people)], desks[n%len(desks)]
	if n >= len(desks) {
		who, desk = people[rand.N(len(people))], desks[rand.N(len(desks))]
		if rand.N(4) == 0 {
			return desk.phone, "*12"
		}
	}
	return desk.phone, "*11*" + who.Number + "*" + who.PIN
}

func (d *demo) dial(ctx context.Context, p *sim.Phone, code string) {
	if _, err := p.Dial(ctx, code, sim.CallOptions{}); err != nil && ctx.Err() == nil {
		d.say.line("phone " + p.MAC() + " could not dial: " + err.Error())
	}
}
