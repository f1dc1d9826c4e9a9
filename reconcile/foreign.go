package reconcile

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/resctl/resctl/reservation"
)

// Foreign is a Reserved status, or the reservation of a transaction, that
// nothing of ours explains. It is shown, and never touched.
type Foreign struct {
	StationID     string    `json:"station_id"`
	EVSE          int       `json:"evse_id,omitempty"`
	ReservationID int32     `json:"reservation_id,omitempty"` // that a transaction uses; 0: a status is all that tells of it
	Since         time.Time `json:"since"`                    // when the station reported it
}

// ForeignAt is what a book does not explain. A book has nothing of what has
// ended; the EVSE of that may show Reserved for a moment longer.
func ForeignAt(b *reservation.Book) (all []Foreign) {
	st := &b.Station
	for i, c := range st.Connectors {
		again := i > 0 && st.Connectors[i-1].EVSE == c.EVSE
		if c.EVSE == 0 || again || st.EVSEStatus(c.EVSE) != reservation.Reserved || explains(b, c.EVSE) {
			continue
		}
		f := Foreign{StationID: st.ID, EVSE: c.EVSE}
		for _, x := range st.Connectors {
			if x.EVSE == c.EVSE && x.Status == reservation.Reserved && x.Since.After(f.Since) {
				f.Since = x.Since
			}
		}
		all = append(all, f)
	}
	for _, t := range st.Transactions {
		if t.ReservationID != 0 && !t.Counted && b.ByID(t.ReservationID) == nil {
			all = append(all, Foreign{st.ID, t.EVSE, t.ReservationID, t.Since})
		}
	}
	return all
}

// explains reports whether something of ours may be why an EVSE is Reserved:
// an id that may be there, or one that names no EVSE, for with enough of them
// every free EVSE shows Reserved (H01.FR.20); or our driver, who has begun.
func explains(b *reservation.Book, evse int) bool {
	if len(b.Station.Strays) > 0 {
		return true
	}
	begun := func(t reservation.OpenTransaction) bool { return t.Counted && t.EVSE == evse }
	return slices.ContainsFunc(b.Station.Transactions, begun) ||
		slices.ContainsFunc(b.Occurrences, func(o *reservation.Occurrence) bool { return o.ID != 0 && mayBeAt(o, evse) })
}

// mayBeAt reports whether the id of an occurrence may be on an EVSE: an update
// whose outcome is not known has two places.
func mayBeAt(o *reservation.Occurrence, evse int) bool {
	if o.Held == nil && o.Asked == nil {
		return true
	}
	return o.Held != nil && o.Held.Aims(evse) || o.Asked != nil && o.Asked.Aims(evse)
}

// foreign looks through the stations. Most are explained by the entries
// alone; for the rest their books are opened.
func (l *Ledger) foreign(ctx context.Context, st *State) ([]Foreign, error) {
	var all []Foreign
	now := l.Now()
	held := map[string][]reservation.Target{}
	for i := range st.Entries {
		if e := &st.Entries[i]; e.ID != 0 {
			held[e.StationID] = append(held[e.StationID], e.Target)
		}
	}
	for i := range st.Stations {
		s := &st.Stations[i]
		if !suspicious(s, held[s.ID]) {
			continue
		}
		book, err := l.Store.Book(ctx, s.ID, now)
		if err != nil {
			return nil, err
		}
		found := ForeignAt(book)
		if len(found) > 0 {
			if found, err = l.lessOurs(ctx, st, found, now); err != nil {
				return nil, err
			}
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, func(a, b Foreign) int {
		return cmp.Or(cmp.Compare(a.StationID, b.StationID), cmp.Compare(a.EVSE, b.EVSE), cmp.Compare(a.ReservationID, b.ReservationID))
	})
	return all, nil
}

// suspicious reports whether a station shows what the targets that are held
// there do not explain at first sight.
func suspicious(s *reservation.Station, held []reservation.Target) bool {
	unknown := func(t reservation.OpenTransaction) bool { return t.ReservationID != 0 && !t.Counted }
	return slices.ContainsFunc(s.Transactions, unknown) || slices.ContainsFunc(s.Connectors, func(c reservation.Connector) bool {
		return c.Status == reservation.Reserved && !slices.ContainsFunc(held, func(t reservation.Target) bool { return t.Aims(c.EVSE) })
	})
}

// lessOurs leaves out, of what was found at one station, what something of ours
// explains that has ended: an id that was ours, and an EVSE of which the station
// has had no time to say that it is free again.
func (l *Ledger) lessOurs(ctx context.Context, st *State, found []Foreign, now time.Time) ([]Foreign, error) {
	for i := range st.Entries {
		e := &st.Entries[i]
		if e.StationID != found[0].StationID {
			continue
		}
		placed, err := l.Store.Occurrences(ctx, e.Workspace, e.Address)
		if err != nil {
			return nil, err
		}
		for _, p := range placed {
			if found = slices.DeleteFunc(found, func(f Foreign) bool { return f.was(p, now) }); len(found) == 0 {
				return nil, nil
			}
		}
	}
	return found, nil
}

// was reports whether an occurrence that has ended explains it.
func (f Foreign) was(p reservation.Placed, now time.Time) bool {
	if f.ReservationID != 0 {
		return slices.Contains(p.Past, f.ReservationID)
	}
	refused := p.Phase == reservation.Pending && (p.Reason == reservation.BecauseOccupied || p.Reason == reservation.BecauseRejected)
	let := p.StationID == f.StationID && p.ID == 0 && p.EverHeld && !refused && p.Since.After(f.Since)
	return let && now.Before(p.Since.Add(reservation.SkewAllowed))
}
