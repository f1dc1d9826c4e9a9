package reconcile

import (
	"cmp"
	"context"
	"maps"
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
// alone; for the rest their books are opened, and what has ended there.
func (l *Ledger) foreign(ctx context.Context, st *State) ([]Foreign, error) {
	held := map[string][]reservation.Target{}
	for i := range st.Entries {
		if e := &st.Entries[i]; e.ID != 0 {
			held[e.StationID] = append(held[e.StationID], e.Target)
		}
	}
	var all []Foreign
	books := map[string]*reservation.Book{}
	for i := range st.Stations {
		s := &st.Stations[i]
		if !suspicious(s, held[s.ID]) {
			continue
		}
		book, err := l.Store.Book(ctx, s.ID, l.Now())
		if err != nil {
			return nil, err
		}
		if found := ForeignAt(book); len(found) > 0 {
			all, books[s.ID] = append(all, found...), book
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	over, err := l.Store.Over(ctx, slices.Sorted(maps.Keys(books))...)
	if err != nil {
		return nil, err
	}
	all = lessOurs(all, books, over, l.Now())
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

// lessOurs leaves out what something of ours explains that is there no longer.
func lessOurs(all []Foreign, books map[string]*reservation.Book, over []reservation.Placed, now time.Time) []Foreign {
	gone := map[string][]*reservation.Occurrence{}
	for _, p := range over {
		gone[p.StationID] = append(gone[p.StationID], p.Occurrence)
	}
	return slices.DeleteFunc(all, func(f Foreign) bool {
		book := books[f.StationID]
		was := func(o *reservation.Occurrence) bool { return f.was(o, &book.Station, now) }
		return slices.ContainsFunc(gone[f.StationID], was) || slices.ContainsFunc(book.Occurrences, was)
	})
}

// was reports whether an occurrence explains it that is not at the station any
// more: it had the id, or it was there when the EVSE became Reserved, and the
// station has had no minute since in which to say that it is free.
func (f Foreign) was(o *reservation.Occurrence, st *reservation.Station, now time.Time) bool {
	if f.ReservationID != 0 {
		return slices.Contains(o.Past, f.ReservationID)
	}
	refused := o.Phase == reservation.Pending && (o.Reason == reservation.BecauseOccupied || o.Reason == reservation.BecauseRejected)
	if o.ID != 0 || !o.EverHeld || refused || o.Since.Before(f.Since) {
		return false
	}
	heard := o.Since
	if st.ConnectedAt.After(heard) {
		heard = st.ConnectedAt
	}
	return !st.Online() || now.Before(heard.Add(reservation.SkewAllowed))
}
