package reconcile_test

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/resctl/resctl/ocppclient/v201"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// What changes who keeps a reservation, and not the station: renaming,
// forgetting, adopting.

// rename gives an address another name, now and then with another change.
func (w *world) rename(o op) {
	from, to := addresses[o.a%len(addresses)], addresses[o.b%len(addresses)]
	d, ok := w.declared[from]
	if _, taken := w.declared[to]; !ok || taken {
		return
	}
	next := w.clone()
	delete(next, from)
	if d.Address = to; o.c%3 == 0 {
		d = w.edited(d, o)
	}
	next[to] = d
	if !w.applyWith(next, reconcile.Desired{Renames: []reconcile.Rename{{From: from, To: to}}}) {
		return
	}
	for id, k := range w.keys {
		if k.Address == from {
			k.Address = to
			w.keys[id] = k
		}
	}
	for k := range w.usedFor {
		if k.Address == from {
			delete(w.usedFor, k)
			k.Address = to
			w.usedFor[k] = true
		}
	}
}

// forget leaves at the station what is held of an address.
func (w *world) forget(o op) {
	address := addresses[o.a%len(addresses)]
	if _, ok := w.declared[address]; !ok {
		return
	}
	var left []int32
	for _, d := range w.depots {
		for _, x := range w.mem.Whole(d.id).Occurrences {
			if x.Address == address && x.ID != 0 && x.Want != nil && !x.MustCancel && x.Phase.Open() {
				left = append(left, x.ID)
			}
		}
	}
	next := w.clone()
	delete(next, address)
	if w.applyWith(next, reconcile.Desired{Removals: []reconcile.Removal{{From: address}}}) {
		for _, id := range left {
			w.forgotten[id], w.left[id] = true, true
		}
	}
}

// wantedAgain takes note of what was forgotten and is declared once more.
func (w *world) wantedAgain() {
	for _, d := range w.depots {
		book := w.mem.Whole(d.id)
		for _, o := range book.Occurrences { // a new start is what its time counts from
			if k, known := w.keys[o.ID]; known && o.ID != 0 && !k.Start.Equal(o.Start) && !w.timers[o.ID].IsZero() {
				w.keys[o.ID], w.timers[o.ID] = o.Key, o.Start
				if w.now.After(o.Start) {
					w.timers[o.ID] = w.now
				}
			}
		}
		for id := range w.left {
			if o := book.ByID(id); o != nil && o.Want != nil {
				delete(w.forgotten, id)
				delete(w.left, id)
			}
		}
	}
}

// adopt declares what a station holds for somebody of before us.
func (w *world) adopt(o op) {
	address := addresses[o.a%len(addresses)]
	if _, declared := w.declared[address]; declared {
		return
	}
	decl := w.newDeclaration(address, o)
	d := w.depots[o.b%len(w.depots)]
	id := int32(500 + len(w.adopted))
	doubt := func(x *reservation.Occurrence) bool { return x.Phase == reservation.Unsure }
	if slices.ContainsFunc(w.mem.Whole(d.id).Occurrences, doubt) {
		return // what another backend does meanwhile looks like our own
	}
	if !d.foreignHold(w.now, id, decl, o.c%2 == 0) {
		return
	}
	w.adopted[id] = true
	next := w.clone()
	next[address] = decl
	stored := w.applyWith(next, reconcile.Desired{Adoptions: []reconcile.Adoption{{Address: address, StationID: d.id, ReservationID: id}}})
	k := reservation.Key{Workspace: "w", Address: address, Start: decl.When.Window(w.now).Start}
	if x := w.mem.Whole(d.id).Find(k); !stored || x == nil || x.ID != id && (x.ID != 0 || !x.Phase.Open()) { // it has another id of its own
		d.handle(w.now, reservation.Call{Kind: reservation.CancelReservation}, "CancelReservation", v201.NewCancelReservationRequest(id))
		return
	}
	w.keys[id] = k
	w.confirmed[id] = true
}

// foreignHold has a station hold something for another backend.
func (d *depot) foreignHold(now time.Time, id int32, decl reservation.Declaration, same bool) bool {
	c := decl.Content(decl.When.Window(now))
	if !same {
		c.IDToken.IDToken = "BEFORE"
	}
	if !c.Expiry.After(now) || d.barred {
		return false
	}
	action, payload, err := v201.Encode(id, reservation.Call{Kind: reservation.ReserveNow, Content: &c})
	if err != nil {
		return false
	}
	raw, _ := json.Marshal(payload)
	response, callErr, after := d.m.Handle(now, action, raw)
	d.post(after)
	return callErr == nil && response.(v201.ReserveNowResponse).Status == v201.ReserveAccepted
}
