package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
	"github.com/resctl/resctl/state/statetest"
)

// world is a depot in virtual time: simulated stations, an in-memory journal,
// and the same controller and ledger as in production, driven step by step.
// Nothing in it depends on anything but the history it is given.
type world struct {
	now      time.Time
	mem      *statetest.Memory
	ctl      *reconcile.Controller
	led      *reconcile.Ledger
	depots   []*depot
	declared map[string]reservation.Declaration
	crash    *crash // armed: the process dies at a coming append

	keys      map[int32]reservation.Key // every id that was requested, and for what
	used      map[int32]bool            // ids that the station saw used by their own driver
	usedFor   map[reservation.Key]bool  // and the occurrences they were for
	confirmed map[int32]bool            // ids that a station accepted or showed
	ghosts    map[int32]bool            // ids of which the only trace was lost
	forgotten map[int32]bool            // ids that are left at their stations, and not to be cancelled
	left      map[int32]bool            // the same, also once their driver has used them
	adopted   map[int32]bool            // ids of another backend
	coverage  map[string]int            // phase × event
	timers    map[int32]time.Time       // of no_show_after
	inTime    bool                      // the update being delivered comes at its expiry
	justThen  func()                    // happens before the next request is recorded
	raced     bool                      // it just did
	failure   string
	trace     []string
	verbose   bool
}

// depot is one station and the wire to it.
type depot struct {
	id       string
	m        *sim.Machine
	quirks   sim.Quirks
	conn     int64 // 0: no socket
	older    int64 // a second socket that has not died yet
	outbox   []sim.Message
	fault    string // of the next call
	late     []lateAnswer
	called   []time.Time // the last calls
	behind   []lateRequest
	deaf     time.Time // it answers nothing until then
	rejects  bool      // its next ReserveNow is Rejected
	barred   bool      // it does no reservations until it boots
	paused   *reservation.Halt
	before   int32                         // ids up to this one were asked of the station that was here before
	ended    map[int32]time.Time           // when it reported the expiry of an id
	over     map[reservation.Key]time.Time // until when, by our clock, was what it reported to have expired by its own
	restored bool
	charges  map[int]string // the token that charges at an EVSE
	downAt   time.Time
	downs    []reservation.Window // when it had no socket
	backAt   time.Time            // when a lost link comes back
	lostNew  bool                 // an update about an untargeted one was lost: nobody can know
}

// lateRequest is one that the network delivers when nobody expects it.
type lateRequest struct {
	at time.Time
	id int32
	c  reservation.Call
}

type lateAnswer struct {
	at    time.Time
	event reservation.Event
}

// crash counts appends down to the one at which the process dies.
type crash struct {
	in    int
	after bool // once it is stored
}

type crashed struct{}

var day = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const evses = 2

func newWorld(fold reservation.Fold, quirks ...sim.Quirks) *world {
	w := &world{now: day, mem: statetest.NewMemory(), declared: map[string]reservation.Declaration{},
		keys: map[int32]reservation.Key{}, used: map[int32]bool{}, usedFor: map[reservation.Key]bool{},
		confirmed: map[int32]bool{}, timers: map[int32]time.Time{}, ghosts: map[int32]bool{}, coverage: map[string]int{},
		forgotten: map[int32]bool{}, left: map[int32]bool{}, adopted: map[int32]bool{}}
	clock := func() time.Time { return w.now }
	w.mem.Fold, w.mem.Now = fold, clock
	settings := reconcile.Settings{QuietPeriod: 2 * time.Second, QuietMax: 10 * time.Second, Patience: 30 * time.Second}
	store := journal{w.mem, w}
	w.ctl = &reconcile.Controller{Journal: store, Settings: settings, Now: clock}
	w.led = &reconcile.Ledger{Store: store, Settings: settings, Now: clock}
	for i, q := range quirks {
		config := sim.Config{ID: fmt.Sprintf("S%d", i), Serial: fmt.Sprintf("SN-%d", i), Vendor: "sim", Model: "m", Quirks: q,
			Groups: map[string]string{"MEMBER": "GROUP"}}
		for e := 1; e <= evses; e++ {
			config.EVSEs = append(config.EVSEs, sim.EVSE{ID: e, Connectors: []v201.ConnectorType{"cCCS2"}})
		}
		d := &depot{id: config.ID, m: sim.NewMachine(config), quirks: q, ended: map[int32]time.Time{}, over: map[reservation.Key]time.Time{}, charges: map[int]string{}, downAt: w.now}
		if adopted := i == 1; adopted { // it has booted for somebody else, and will not do so for us
			d.m.Boot(w.now)
			d.m.BootAnswered(w.now, "Accepted")
			d.m.Disconnected(w.now)
		}
		w.depots = append(w.depots, d)
		w.connect(d)
	}
	return w
}

// journal is the memory with crashes in it. It also keeps the books of the
// harness itself: what was asked, and which phases met which events.
type journal struct {
	*statetest.Memory
	w *world
}

func (j journal) Append(ctx context.Context, events ...reservation.Event) ([]reservation.Event, error) {
	if f := j.w.justThen; f != nil && events[len(events)-1].Kind == reservation.Requested {
		j.w.justThen = nil
		f()
	}
	if c := j.w.crash; c != nil {
		if c.in--; c.in < 0 && !c.after {
			panic(crashed{})
		}
	}
	for _, e := range events {
		j.w.meet(e)
		j.w.before(e)
	}
	cascades := j.w.watchCascades()
	stored, err := j.Memory.Append(ctx, events...)
	cascades()
	for _, e := range stored {
		if e.Kind == reservation.Requested && e.Call.Kind == reservation.ReserveNow {
			j.w.requested(e)
		}
		j.w.logf("%s %s id=%d %s", e.StationID, e.Kind, e.ReservationID, describe(e))
		j.w.after(e)
	}
	if c := j.w.crash; c != nil && c.in < 0 {
		panic(crashed{})
	}
	return stored, err
}

func (j journal) Update(ctx context.Context, c reservation.Changeset) ([]reservation.Event, error) {
	for _, e := range c.Events {
		j.w.meet(e)
		j.w.beforeOver(e)
		j.w.logf("%s %s %s %s", e.StationID, e.Kind, e.Address, describe(e))
	}
	defer j.w.watchCascades()()
	return j.Memory.Update(ctx, c)
}

func describe(e reservation.Event) string {
	var v any
	switch {
	case e.Answer != nil:
		v = []any{e.Call.Kind, e.Answer}
	case e.Call != nil:
		v = e.Call
	case e.Status != nil:
		v = []any{e.Status.EVSE, e.Status.Status}
	case e.Transaction != nil:
		v = e.Transaction
	case e.Decision != nil:
		v = e.Decision
	case e.Change != nil:
		v = []any{e.Change.Action, e.Change.Move}
	default:
		v = e.Update
	}
	b, _ := json.Marshal(v)
	return e.Address + " " + string(b)
}

// watchCascades counts what an event sets off in other stations' books.
func (w *world) watchCascades() (done func()) {
	before := make(map[string]*reservation.Book, len(w.depots))
	for _, d := range w.depots {
		before[d.id] = w.mem.Whole(d.id)
	}
	n, _ := w.mem.Last(context.Background())
	return func() {
		for _, e := range w.mem.Lines(int(n)) {
			if e.Kind != reservation.Released && e.Kind != reservation.Superseded {
				continue
			}
			w.logf("%s %s %s", e.StationID, e.Kind, e.Address)
			if o := before[e.StationID].Find(e.Key()); o != nil {
				w.coverage[string(o.PhaseAt(w.now))+" × "+string(e.Kind)]++
			}
		}
	}
}

func (w *world) logf(format string, args ...any) {
	if w.verbose {
		w.trace = append(w.trace, w.now.Format("15:04:05.0 ")+fmt.Sprintf(format, args...))
	}
}

func (w *world) fail(format string, args ...any) {
	if w.failure == "" {
		w.failure = fmt.Sprintf(format, args...)
		w.logf("FAIL %s", w.failure)
	}
}

// meet counts the pair of an event and the phases that it meets.
func (w *world) meet(e reservation.Event) {
	b := w.mem.Whole(e.StationID)
	name := eventName(e)
	for _, o := range b.Occurrences {
		if concerns(e, o) {
			w.coverage[string(o.PhaseAt(w.now))+" × "+name]++
		}
	}
}

// requested keeps an id's purpose: an id is for one occurrence for ever.
func (w *world) requested(e reservation.Event) {
	if k, known := w.keys[e.ReservationID]; known && k.Address != e.Address {
		w.fail("id %d is used twice: %s and %s", e.ReservationID, k.Address, e.Address)
	}
	w.keys[e.ReservationID] = e.Key()
}

// connect opens a socket for a station, beside one that is still open if there
// is one.
func (w *world) connect(d *depot) {
	w.guard(func() {
		e, err := w.ctl.Journal.Append(context.Background(), reservation.Event{At: w.now, Kind: reservation.Connected,
			StationID: d.id, Link: &reservation.Link{Protocol: "ocpp2.0.1"}})
		if err != nil {
			w.fail("connected: %v", err)
			return
		}
		if d.conn == 0 {
			d.downs = append(d.downs, reservation.Window{Start: d.downAt, Expiry: w.now})
		}
		d.older, d.conn, d.backAt = d.conn, e[0].Connection, time.Time{}
		if d.quirks.BootsAtEveryReconnect {
			clear(d.charges)
		}
		d.post(d.m.Reconnected(w.now))
	})
}

// cut ends the newest socket. What was under way is lost, but for what the
// station keeps.
func (w *world) cut(d *depot, back time.Duration) {
	if d.conn == 0 {
		return
	}
	d.m.Disconnected(w.now)
	w.lose(d)
	gone := d.conn
	d.conn, d.backAt, d.downAt = 0, w.now.Add(back), w.now
	w.guard(func() { w.disconnected(d, gone) })
	if d.older != 0 {
		older := d.older
		d.older = 0
		w.guard(func() { w.disconnected(d, older) })
	}
}

func (w *world) lose(d *depot) {
	for _, m := range d.outbox {
		if _, ok := m.Payload.(v201.ReservationStatusUpdateRequest); ok {
			d.lostNew = true
		}
	}
	d.m.Undelivered(d.outbox)
	d.outbox = nil
}

func (w *world) disconnected(d *depot, connection int64) {
	_, err := w.ctl.Journal.Append(context.Background(), reservation.Event{At: w.now, Kind: reservation.Disconnected,
		StationID: d.id, Connection: connection})
	if err != nil {
		w.fail("disconnected: %v", err)
	}
}

// guard runs something that a crash may end, and then starts the process anew.
func (w *world) guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(crashed); !ok {
				panic(r)
			}
			w.restart()
		}
	}()
	f()
}

// restart is the next process: it knows what is on disk, and no socket is open.
func (w *world) restart() {
	w.crash = nil
	w.mem.Crash()
	w.logf("CRASH")
	for _, d := range w.depots {
		d.m.Disconnected(w.now)
		w.lose(d)
		d.late = nil
		if d.conn != 0 {
			d.downAt = w.now
		}
		if d.conn != 0 || d.backAt.IsZero() {
			d.backAt = w.now.Add(3 * time.Second)
		}
		d.conn, d.older = 0, 0
	}
	if err := w.led.Recover(context.Background()); err != nil {
		w.fail("recover: %v", err)
	}
}

// post queues what a station sends.
func (d *depot) post(messages []sim.Message) {
	if d.conn == 0 {
		return // the machine keeps what it must while its link is down
	}
	d.outbox = append(d.outbox, messages...)
}

// deliver takes in everything that a station has sent.
func (w *world) deliver(d *depot) {
	for len(d.outbox) > 0 && d.conn != 0 {
		w.guard(func() { w.receive(d, d.outbox[0]) })
	}
}

func (w *world) receive(d *depot, m sim.Message) {
	payload, err := json.Marshal(m.Payload)
	if err != nil {
		w.fail("payload: %v", err)
	}
	book, _ := w.mem.Book(context.Background(), d.id, w.now)
	var over *reservation.Occurrence
	if u, ok := m.Payload.(v201.ReservationStatusUpdateRequest); ok {
		o := book.ByID(u.ReservationID)
		w.inTime = o != nil && w.now.After(o.Expiry().Add(-time.Minute))
		if u.ReservationUpdateStatus == "Expired" {
			over = byClock(book, u.ReservationID, w.now)
		}
	}
	reply, callErr := v201.Receive(m.Action, payload, v201.Env{Now: w.now, ConnectedAt: book.Station.ConnectedAt,
		Interval: 300, Boot: "Accepted", Authorize: w.authorize})
	if callErr != nil {
		w.fail("%s %s is refused: %v", d.id, m.Action, callErr)
	}
	for _, e := range reply.Facts {
		e.At, e.StationID, e.Connection = w.now, d.id, d.conn
		if _, err := w.ctl.Journal.Append(context.Background(), e); err != nil {
			w.fail("fact: %v", err)
		}
	}
	if over != nil {
		d.over[over.Key] = over.Expiry()
	}
	if len(d.outbox) > 0 {
		d.outbox = d.outbox[1:] // acknowledged
	}
	if u, ok := m.Payload.(v201.ReservationStatusUpdateRequest); ok && u.ReservationUpdateStatus == "Expired" && w.inTime {
		d.ended[u.ReservationID] = w.now
	}
	if m.Action == "BootNotification" {
		d.post(d.m.BootAnswered(w.now, "Accepted"))
	}
}

func (w *world) authorize(t reservation.Token) (bool, *reservation.Token) {
	if t.IDToken == "MEMBER" {
		return true, &reservation.Token{IDToken: "GROUP", Type: "Central"}
	}
	return true, nil
}

// wire is the far end of a connection as the controller sees it.
type wire struct {
	w          *world
	d          *depot
	connection int64
}

func (l wire) Call(_ context.Context, id int32, c reservation.Call) reservation.Answer {
	w, d := l.w, l.d
	if d.conn != l.connection {
		return reservation.Answer{Outcome: reservation.AnswerNotSent}
	}
	w.now = w.now.Add(100 * time.Millisecond)
	if d.hurries(w.now) {
		w.fail("%s is called without a pause", d.id)
		return reservation.Answer{Outcome: reservation.AnswerNotSent}
	}
	if d.paused.Stands(w.now.Add(-100 * time.Millisecond)) {
		w.fail("%s is paused, and asked to %s", d.id, c.Kind)
	}
	for len(d.outbox) > 0 { // what it sent before our call comes before its answer
		w.receive(d, d.outbox[0])
	}
	fault := d.fault
	d.fault = ""
	w.logf("%s call %s id=%d fault=%q", d.id, c.Kind, id, fault)
	if fault == "cut before" {
		w.cut(d, 20*time.Second)
		return reservation.Answer{Outcome: reservation.AnswerNotSent}
	}
	if fault == "late request" && c.Kind == reservation.ReserveNow {
		d.behind = append(d.behind, lateRequest{w.now.Add(40 * time.Second), id, c})
		return reservation.Answer{Outcome: reservation.AnswerNone}
	}
	if fault == "lost request" || w.now.Before(d.deaf) {
		return reservation.Answer{Outcome: reservation.AnswerNone}
	}
	if a, ok := d.refuses(c); ok {
		return a
	}
	answer := w.handle(d, id, c)
	switch fault {
	case "lost answer", "late answer":
		if fault == "late answer" {
			e := reservation.Event{Kind: reservation.Answered, StationID: d.id, Call: &c, Answer: &answer, ReservationID: id}
			if k, ok := w.keys[id]; ok {
				e.Workspace, e.Address, e.Start = k.Workspace, k.Address, k.Start
			}
			d.late = append(d.late, lateAnswer{w.now.Add(25 * time.Second), e})
		}
		return reservation.Answer{Outcome: reservation.AnswerNone}
	case "cut after":
		w.cut(d, 20*time.Second)
		return reservation.Answer{Outcome: reservation.AnswerNone}
	}
	return answer
}

// handle lets the station do what it is asked, and checks what nobody may ask.
func (w *world) handle(d *depot, id int32, c reservation.Call) reservation.Answer {
	w.check(d, id, c)
	action, payload, err := v201.Encode(id, c)
	if err != nil {
		return reservation.Answer{Outcome: reservation.AnswerRefused, Info: err.Error()}
	}
	answer, after := d.handle(w.now, c, action, payload)
	for _, r := range d.m.Holds() {
		w.confirmed[r.ID] = true
	}
	for i, m := range after {
		if m.BeforeAnswer {
			d.outbox = append(d.outbox, m)
			w.deliver(d)
			continue
		}
		d.post(after[i : i+1])
	}
	if c.Kind == reservation.ReserveNow && answer.Outcome == reservation.AnswerAccepted {
		w.confirmed[id] = true
	}
	return answer
}

func (d *depot) handle(now time.Time, c reservation.Call, action string, payload any) (reservation.Answer, []sim.Message) {
	raw, _ := json.Marshal(payload)
	response, callErr, after := d.m.Handle(now, action, raw)
	if callErr != nil {
		return v201.AnswerError(c, callErr), after
	}
	raw, _ = json.Marshal(response)
	return v201.Answer(c, raw), after
}

func (w *world) check(d *depot, id int32, c reservation.Call) {
	switch c.Kind {
	case reservation.ReserveNow:
		k, ok := w.keys[id]
		if !ok {
			w.fail("ReserveNow %d left before it was stored", id)
		}
		if w.usedFor[k] && w.allTold() && !w.holdsAgain(k) {
			w.fail("ReserveNow %d for %s, which its driver has used", id, k.Address)
		}
		if id <= d.before && !w.adopted[id] {
			w.fail("ReserveNow %d, which another station had", id)
		}
		w.checkFree(d, id, c.Content)
		if !c.Content.Expiry.After(w.now) {
			w.fail("ReserveNow %d with an expiry that is over", id)
		}
	case reservation.CancelReservation:
		w.checkNoShow(d, id, c)
		if o := w.mem.Whole(d.id).ByID(id); w.forgotten[id] && o != nil && o.ID == id && slices.ContainsFunc(d.m.Holds(), func(r sim.Reservation) bool { return r.ID == id }) {
			w.fail("CancelReservation %d, which was to be left", id)
		}
		if id <= d.before && !w.adopted[id] {
			w.fail("CancelReservation %d, which another station had", id)
		}
		if _, ok := w.keys[id]; !ok {
			w.fail("CancelReservation %d, which is not ours", id)
		}
	}
}

// allTold reports whether everything that happened at a station is known.
func (w *world) allTold() bool {
	for _, d := range w.depots {
		if d.conn == 0 || len(d.outbox) > 0 {
			return false
		}
	}
	return true
}

func (w *world) holdsAgain(k reservation.Key) bool {
	d, ok := w.declared[k.Address]
	return ok && d.Lifecycle.OnUsed == reservation.HoldAgain
}

// step runs every station until nothing is to be done at this moment.
func (w *world) step() {
	for range 200 {
		busy := false
		for _, d := range w.depots {
			w.deliver(d)
			if w.stepOne(d) {
				busy = true
			}
		}
		if !busy {
			return
		}
	}
	w.fail("it never comes to rest at %s", w.now)
}

func (w *world) stepOne(d *depot) (more bool) {
	w.guard(func() {
		if d.conn == 0 {
			if _, _, err := w.ctl.Settle(context.Background(), d.id); err != nil {
				w.fail("settle: %v", err)
			}
			return
		}
		var err error
		more, _, err = w.ctl.Step(context.Background(), d.id, d.conn, wire{w, d, d.conn})
		if err != nil && err.Error() != "" && d.conn != 0 {
			w.fail("step: %v", err)
		}
	})
	return more || len(d.outbox) > 0 && d.conn != 0
}

// advance lets time pass, stopping wherever something is due.
func (w *world) advance(by time.Duration) {
	end := w.now.Add(by)
	for range 2000 {
		w.step()
		w.holdsTrue()
		next := w.next(end)
		if next.After(w.now) {
			w.now = next
		}
		w.tick()
		if !w.now.Before(end) || w.failure != "" {
			w.step()
			return
		}
	}
	w.fail("time does not pass at %s", w.now)
}

func (w *world) next(end time.Time) time.Time {
	next := end
	sooner := func(t time.Time) {
		if !t.IsZero() && t.After(w.now) && t.Before(next) {
			next = t
		}
	}
	for _, d := range w.depots {
		sooner(d.m.NextTimer())
		sooner(d.backAt)
		for _, l := range d.late {
			sooner(l.at)
		}
		for _, l := range d.behind {
			sooner(l.at)
		}
		b, _ := w.mem.Book(context.Background(), d.id, w.now)
		work := w.ctl.Settings.Diff(b, w.now)
		w.constant(b, work)
		sooner(work.WakeAt)
	}
	return next
}

// constant: until WakeAt the passing of time changes nothing of the work.
func (w *world) constant(b *reservation.Book, work reconcile.Work) {
	last := w.now.Add(24 * time.Hour)
	if !work.WakeAt.IsZero() {
		last = work.WakeAt.Add(-time.Nanosecond)
	}
	if then := w.ctl.Settings.Diff(b, last); !reflect.DeepEqual(then.Actions, work.Actions) || !reflect.DeepEqual(then.Waiting, work.Waiting) {
		w.fail("%s: the work changes before it wakes at %s: %v %v", b.Station.ID, work.WakeAt, work, then)
	}
}

// tick does what is due by now.
func (w *world) tick() {
	for _, d := range w.depots {
		w.expire(d)
		w.arrive(d)
		if !d.backAt.IsZero() && !d.backAt.After(w.now) {
			w.connect(d)
		}
		for _, l := range slices.Clone(d.late) {
			if !l.at.After(w.now) {
				d.late = slices.DeleteFunc(d.late, func(x lateAnswer) bool { return x == l })
				l.event.At = w.now
				w.guard(func() { _, _ = w.ctl.Journal.Append(context.Background(), l.event) })
			}
		}
	}
}

// holdsTrue: nothing is shown as held that no station confirmed.
func (w *world) holdsTrue() {
	for _, d := range w.depots {
		b, _ := w.mem.Book(context.Background(), d.id, w.now)
		if b.Station.Online() != (d.conn != 0 || d.older != 0) {
			w.fail("%s is shown online: %v", d.id, b.Station.Online())
		}
		for _, o := range b.Occurrences {
			if o.Phase != reservation.Held {
				continue
			}
			if !w.confirmed[o.ID] {
				w.fail("%s is shown as held under %d, which %s never accepted", o.Address, o.ID, d.id)
			}
			if d.charges[o.Held.EVSE] == "STRANGER" && d.conn != 0 && len(d.outbox) == 0 {
				w.fail("%s is shown as held while a stranger charges there", o.Address)
			}
			w.checkMove(o)
		}
	}
}
