package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// op is one thing that happens to a world. It is data, so that a history can
// be shortened and run again.
type op struct {
	kind    string
	a, b, c int
}

func (o op) String() string { return fmt.Sprintf("%s(%d,%d,%d)", o.kind, o.a, o.b, o.c) }

// kinds of ops, each as often as it is to be drawn.
var kinds = []string{
	"advance", "advance", "advance", "advance", "advance", "minutes", "minutes", "minutes", "hours",
	"declare", "declare", "declare", "declare", "undeclare", "edit", "edit", "edit",
	"use", "use", "member", "foreign", "end", "end", "plug", "unplug", "remove", "remove",
	"fault", "unavailable", "clear", "clear", "reboot", "reboot", "replace", "cut", "cut", "second", "older dies",
	"call fault", "call fault", "call fault", "crash", "crash", "deaf", "rejects", "barred", "expires early", "moved under him", "just then", "just then",
	"pause", "resume", "paused just then", "restore",
	"rename", "rename", "forget", "forget", "adopt", "night",
}

// history is a world's beginning and everything that then happens to it.
type history struct {
	seed   uint64
	quirks []sim.Quirks
	ops    []op
}

// draw makes a history from a seed.
func draw(seed uint64, n int) history {
	r := rand.New(rand.NewPCG(seed, 42))
	h := history{seed: seed, quirks: []sim.Quirks{drawQuirks(r), drawQuirks(r)}}
	for range n {
		h.ops = append(h.ops, op{kinds[r.IntN(len(kinds))], r.IntN(1000), r.IntN(1000), r.IntN(1000)})
	}
	return h
}

// drawQuirks makes a station: often a standard one, else with a few of the
// habits that real ones have.
func drawQuirks(r *rand.Rand) (q sim.Quirks) {
	for range r.IntN(4) {
		switch r.IntN(18) {
		case 0:
			q.SameID = sim.SameIDOccupied
		case 1:
			q.SameID = sim.SameIDRejected
		case 2:
			q.DropsBeforeReplace = true
		case 3:
			q.NoUpdate, q.MinusOneInTransaction = true, true // OCPP 1.6's shape
		case 4:
			q.UpdateBeforeStatus = true
		case 5:
			q.QueueAll = true
		case 6:
			q.ExpiryDelay = 10 * time.Second
		case 7:
			q.NoReservationIDInTransaction = true
		case 8:
			q.UseKeepsReservation = true
		case 9:
			q.IDInUpdated = true
		case 10:
			q.ForgetsOnReboot = true
		case 11:
			q.AvailableAfterBootThoughHeld = true
		case 12:
			q.BootsAtEveryReconnect = true
		case 13:
			q.StatusBeforeAnswer = true
		case 14:
			q.FaultKeepsReservation = true
		case 16:
			q.ForeignTokenAllowed = true
		case 17:
			q.ForeignTokenConsumes = true
		case 15:
			q.Skew = time.Duration(r.IntN(5)-2) * 2 * time.Minute
		}
	}
	if r.IntN(4) == 0 {
		q.NotifyEventInsteadOfStatus = true
	}
	return q
}

// run lives a history through, lets the faults stop, and checks the end.
func (h history) run(fold reservation.Fold, verbose bool) *world {
	w := newWorld(fold, h.quirks...)
	w.verbose = verbose
	for _, o := range h.ops {
		w.logf("--- %s", o)
		w.do(o)
		if w.failure != "" {
			return w
		}
	}
	if w.calm(); w.failure != "" {
		return w
	}
	// What time itself has just changed, a no-show or an expiry, may need a
	// while more; what does not settle then never does.
	for range 3 {
		w.failure = ""
		if w.checkEnd(); w.failure == "" {
			return w
		}
		found := w.failure
		w.failure = ""
		if w.advance(7 * time.Minute); w.failure != "" {
			return w
		}
		w.failure = found
	}
	return w
}

func (w *world) do(o op) {
	d := w.depots[o.a%len(w.depots)]
	e := 1 + o.b%evses
	switch o.kind {
	case "advance":
		w.advance(time.Duration(1+o.a%20) * time.Second)
	case "minutes":
		w.advance(time.Duration(1+o.a%6) * time.Minute)
	case "hours":
		w.advance(time.Duration(10+o.a%60) * time.Minute)
	case "night":
		w.advance(time.Duration(9+o.a%16) * time.Hour)
	case "declare", "undeclare", "edit":
		w.propose(o)
	case "rename":
		w.rename(o)
	case "forget":
		w.forget(o)
	case "adopt":
		w.adopt(o)
	case "use":
		w.use(d, e, o.c)
	case "moved under him":
		w.moveUnder(o)
	case "just then": // between the decision to ask and the record of it
		w.justThen = func() { w.use(d, e, o.c); w.deliver(d); w.raced = true }
	case "restore":
		w.restore(o)
	case "paused just then":
		w.justThen = func() { w.pause(d, o.c) }
	case "pause":
		w.pause(d, o.c)
	case "resume":
		w.resume(d)
	case "member":
		w.charge(d, e, "MEMBER")
	case "foreign":
		w.charge(d, e, "STRANGER")
	case "call fault":
		d.fault = []string{"lost request", "lost answer", "late answer", "late request", "cut before", "cut after"}[o.b%6]
	case "crash":
		w.crash = &crash{in: o.b % 4, after: o.c%2 == 0}
	default:
		w.happen(o.kind, d, e, o.c)
	}
	w.step()
}

// happen is what befalls a station.
func (w *world) happen(kind string, d *depot, e, n int) {
	switch kind {
	case "end":
		delete(d.charges, e)
		d.post(d.m.EndUse(w.now, e))
	case "plug":
		d.post(d.m.Plug(w.now, e))
	case "unplug":
		delete(d.charges, e)
		d.post(d.m.Unplug(w.now, e))
	case "remove":
		w.removeOne(d, n)
	case "fault":
		w.loseSilently(d)
		delete(d.charges, e)
		d.post(d.m.Fault(w.now, e))
	case "unavailable":
		w.loseSilently(d)
		delete(d.charges, e)
		d.post(d.m.SetUnavailable(w.now, e))
	case "clear":
		d.post(d.m.Clear(w.now, e))
	case "reboot":
		w.reboot(d, n%2 == 0)
	case "replace":
		w.replace(d, n)
	case "deaf":
		d.deaf = w.now.Add(time.Duration(30+n%120) * time.Second)
	case "rejects":
		d.rejects = true
	case "barred":
		d.barred = true
	case "expires early":
		w.expireEarly(d, n)
	case "cut":
		w.cut(d, time.Duration(1+n%400)*time.Second)
	case "second":
		if d.conn != 0 && d.older == 0 {
			w.connect(d)
		}
	case "older dies":
		if d.older != 0 {
			older := d.older
			d.older = 0
			w.guard(func() { w.disconnected(d, older) })
		}
	}
}

// loseSilently notes that an untargeted reservation may be about to end
// without a report: then nobody can know.
func (w *world) loseSilently(d *depot) {
	if d.conn == 0 && !d.quirks.QueueAll || d.quirks.NoUpdate {
		d.lostNew = true
	}
}

func (w *world) removeOne(d *depot, n int) {
	if held := d.m.Holds(); len(held) > 0 {
		w.loseSilently(d)
		d.post(d.m.Remove(w.now, held[n%len(held)].ID))
	}
}

func (w *world) reboot(d *depot, keep bool) {
	if d.conn == 0 {
		return
	}
	w.lose(d)
	d.barred = false
	clear(d.charges)
	w.guard(func() { d.post(d.m.Reboot(w.now, keep)) })
}

// replace puts another station in the place of the first, now and then.
func (w *world) replace(d *depot, n int) {
	if d.conn == 0 || n%3 != 0 {
		return
	}
	w.lose(d)
	config := sim.Config{ID: d.id, Serial: fmt.Sprintf("SN-%d", 1000+n), Vendor: "sim", Model: "m", Quirks: d.quirks,
		Groups: map[string]string{"MEMBER": "GROUP"}}
	for e := 1; e <= evses; e++ {
		config.EVSEs = append(config.EVSEs, sim.EVSE{ID: e, Connectors: []v201.ConnectorType{"cCCS2"}})
	}
	d.m = sim.NewMachine(config)
	d.barred = false
	clear(d.charges)
	d.behind, d.late = nil, nil
	for id := range w.keys {
		if w.mem.Whole(d.id).Station.Serial == "" {
			break // nobody ever knew who was there
		}
		d.before = max(d.before, id)
	}
	d.post(d.m.Boot(w.now))
}

// use lets the driver of some address come to a station.
func (w *world) use(d *depot, e, n int) {
	tokens := make([]string, 0, len(w.declared))
	for _, a := range addresses {
		if x, ok := w.declared[a]; ok {
			tokens = append(tokens, x.IDToken.IDToken)
		}
	}
	if len(tokens) > 0 {
		w.charge(d, e, tokens[n%len(tokens)])
	}
}

// charge notes which reservation the station saw used.
func (w *world) charge(d *depot, e int, token string) {
	before := d.m.Holds()
	messages, ok := d.m.Use(w.now, e, v201.IdToken{IDToken: token, Type: "ISO14443"})
	d.post(messages)
	if !ok {
		return
	}
	d.charges[e] = token
	after := d.m.Holds()
	for _, r := range before {
		gone := !slices.ContainsFunc(after, func(x sim.Reservation) bool { return x.ID == r.ID })
		over := !w.now.Before(r.Expiry.Add(reservation.SkewAllowed)) // by our clock, and theirs is behind
		if gone && !over && (token == r.IDToken.IDToken || token == "MEMBER" && r.GroupIDToken != nil) {
			w.used[r.ID] = !w.holdsAgain(w.keys[r.ID]) // which may be edited later
			w.usedFor[w.keys[r.ID]] = w.usedFor[w.keys[r.ID]] || !w.forgotten[r.ID]
			delete(w.forgotten, r.ID) // should it come back, nobody wants it
		}
	}
}

var addresses = []string{"reservation.r0", "reservation.r1", "reservation.r2", "reservation.r3", "reservation.r4"}

// propose changes the configuration and applies it.
func (w *world) propose(o op) {
	address := addresses[o.a%len(addresses)]
	old, exists := w.declared[address]
	next := w.clone()
	switch {
	case o.kind == "undeclare" && exists:
		delete(next, address)
	case o.kind == "declare" && !exists:
		next[address] = w.newDeclaration(address, o)
	case o.kind == "edit" && exists:
		next[address] = w.edited(old, o)
	default:
		return
	}
	w.apply(next)
}

func (w *world) clone() map[string]reservation.Declaration {
	next := make(map[string]reservation.Declaration, len(w.declared))
	for k, v := range w.declared {
		next[k] = v
	}
	return next
}

func (w *world) apply(next map[string]reservation.Declaration) {
	w.applyWith(next, reconcile.Desired{})
}

// applyWith stores what is declared next, and reports whether it was taken.
func (w *world) applyWith(next map[string]reservation.Declaration, want reconcile.Desired) bool {
	want.Workspace = "w"
	for _, a := range addresses {
		if d, ok := next[a]; ok {
			want.Reservations = append(want.Reservations, d)
		}
	}
	p, err := w.led.Plan(context.Background(), want)
	if err != nil {
		w.fail("plan: %v", err)
		return false
	}
	if p.Errors() > 0 {
		return false // it does not fit, or is prevented
	}
	if _, err := w.led.Propose(context.Background(), p, reconcile.ProposeOptions{MoveTimeout: 5 * time.Minute}); err != nil {
		var stale *reconcile.StaleError
		if !errors.As(err, &stale) {
			w.fail("propose: %v", err)
		}
		return false
	}
	w.declared = next
	w.wantedAgain()
	again, err := w.led.Plan(context.Background(), want)
	if err != nil || len(again.Changes) > 0 {
		w.fail("what was stored is planned again: %v %v", again.Changes, err)
	}
	return true
}

func (w *world) newDeclaration(address string, o op) reservation.Declaration {
	d := reservation.Declaration{Address: address, Workspace: "w", StationID: w.depots[o.b%len(w.depots)].id,
		IDToken: reservation.Token{IDToken: "TOKEN-" + address[len(address)-1:], Type: "ISO14443"}}
	if o.c%5 != 0 {
		d.EVSE = 1 + o.b/7%evses
	}
	start := w.now.Add(time.Duration(o.c%40-20) * time.Minute).Truncate(time.Second)
	d.When = reservation.When{Start: start, Expiry: start.Add(time.Duration(30+o.b%240) * time.Minute)}
	if o.c%7 == 0 {
		d.When = reservation.When{HoldFor: reservation.Duration(time.Duration(20+o.b%200) * time.Minute)}
	}
	if o.c%6 == 1 {
		d.When = reservation.When{Schedule: daily(start, 30+o.b%240)}
	}
	if o.b%3 == 0 {
		d.GroupIDToken = &reservation.Token{IDToken: "GROUP", Type: "Central"}
	}
	if o.b%4 == 0 {
		d.Activation.LeadTime = reservation.Duration(10 * time.Minute)
	}
	if o.b%5 == 0 {
		d.Activation.NoShowAfter = reservation.Duration(15 * time.Minute)
	}
	if o.a%6 == 0 {
		d.Lifecycle.OnRemoved = reservation.Report
	}
	if o.a%9 == 0 {
		d.Lifecycle.OnUsed = reservation.HoldAgain
	}
	return d
}

// daily is a schedule of windows that start at the time of day of start.
func daily(start time.Time, minutes int) *reservation.Schedule {
	zone, local := "UTC", start
	if minutes%2 == 0 {
		zone, local = "Asia/Kathmandu", start.Add(5*time.Hour+45*time.Minute)
	}
	return &reservation.Schedule{TimeZone: zone, RRule: "FREQ=DAILY", StartTime: local.Format(time.TimeOnly),
		EndTime: local.Add(time.Duration(minutes) * time.Minute).Format(time.TimeOnly)}
}

func (w *world) edited(d reservation.Declaration, o op) reservation.Declaration {
	switch o.b % 6 {
	case 0:
		d.EVSE = (d.EVSE + 1) % (evses + 1)
	case 1:
		d.StationID = w.depots[o.c%len(w.depots)].id
	case 2:
		d.IDToken.IDToken = strings.TrimSuffix(d.IDToken.IDToken, "-B") + []string{"", "-B"}[o.c%2]
	case 3, 4, 5:
		if d.When.Schedule != nil {
			d.When = reservation.When{Schedule: daily(w.now.Add(time.Duration(o.c%100-80)*time.Minute).Truncate(time.Minute), 30+o.a%240)}
			return d
		}
		if o.b%6 == 5 {
			return w.shifted(d, o)
		}
		by := time.Duration(o.c%120-40) * time.Minute
		if d.When.HoldFor != 0 {
			d.When.HoldFor = max(d.When.HoldFor+reservation.Duration(by), reservation.Duration(time.Minute))
		} else if e := d.When.Expiry.Add(by); e.After(d.When.Start) {
			d.When.Expiry = e
		}
	}
	return d
}

// shifted begins at another time.
func (w *world) shifted(d reservation.Declaration, o op) reservation.Declaration {
	if d.When.HoldFor == 0 {
		d.When.Start = d.When.Start.Add(time.Duration(o.c%20-10) * time.Minute)
		if !d.When.Start.Before(d.When.Expiry) {
			d.When.Expiry = d.When.Start.Add(time.Hour)
		}
	}
	return d
}

// calm ends all faults and gives everybody time.
func (w *world) calm() {
	w.crash, w.justThen = nil, nil
	for _, d := range w.depots {
		d.fault, d.deaf, d.rejects = "", time.Time{}, false
		w.resume(d)
		clear(d.charges)
		if d.older != 0 {
			w.happen("older dies", d, 1, 0)
		}
		if d.conn == 0 {
			w.connect(d)
		}
		for e := 1; e <= evses; e++ {
			d.post(d.m.EndUse(w.now, e))
			d.post(d.m.Clear(w.now, e))
		}
		if d.barred {
			w.reboot(d, true)
		}
	}
	w.stir()
	w.advance(16 * time.Minute)
}

// stir gives every station's EVSEs a change of status, which is the evidence on
// which what was rejected is asked for again.
func (w *world) stir() {
	w.advance(20 * time.Second)
	for _, d := range w.depots {
		for e := 1; e <= evses; e++ {
			d.post(d.m.Plug(w.now, e))
			w.step()
			d.post(d.m.Unplug(w.now, e))
			w.step()
		}
	}
}

// expireEarly is a station that says Expired long before the time.
func (w *world) expireEarly(d *depot, n int) {
	held := d.m.Holds()
	if len(held) == 0 || d.conn == 0 || d.quirks.NoUpdate {
		return
	}
	messages := d.m.Remove(w.now, held[n%len(held)].ID)
	for i, m := range messages {
		if u, ok := m.Payload.(v201.ReservationStatusUpdateRequest); ok {
			u.ReservationUpdateStatus = "Expired"
			messages[i].Payload = u
		}
	}
	d.post(messages)
}

// moveUnder moves a reservation to the other station just when its driver
// arrives at the first, which may be offline at that moment.
func (w *world) moveUnder(o op) {
	decl, ok := w.declared[addresses[o.a%len(addresses)]]
	if !ok || decl.EVSE == 0 {
		return
	}
	from, to := w.depots[0], w.depots[1]
	if decl.StationID == to.id {
		from, to = to, from
	}
	if o.b%2 == 0 {
		w.cut(from, time.Duration(30+o.c%60)*time.Second)
	}
	next := w.clone()
	decl.StationID = to.id
	next[decl.Address] = decl
	w.apply(next)
	w.charge(from, decl.EVSE, decl.IDToken.IDToken)
}
