package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// timeline is the windows of each EVSE between two moments.
type timeline struct {
	FormatVersion string    `json:"format_version"`
	From          time.Time `json:"from"`
	Until         time.Time `json:"until"`
	Now           time.Time `json:"now"`
	Rows          []row     `json:"rows"`
	place         place
	empty, ascii  bool
	windows, most int // 0: any number
}

// row is one EVSE, or what may be at any of them.
type row struct {
	StationID     string `json:"station_id"`
	EVSE          int    `json:"evse_id,omitempty"`
	ConnectorType string `json:"connector_type,omitempty"`
	TimeZone      string `json:"time_zone,omitempty"` // in which most schedules at its station are declared
	Windows       []bar  `json:"windows"`
}

// bar is one window, in parts.
type bar struct {
	Address   string             `json:"address"`
	Workspace string             `json:"workspace"`
	Phase     reservation.Phase  `json:"phase"`
	Window    reservation.Window `json:"window"`
	Token     string             `json:"token,omitempty"` // a fingerprint
	Parts     []part             `json:"parts"`
}

// part is a time in which a window was, or will be, in one manner.
type part struct {
	Manner manner `json:"manner"`
	reservation.Window
}

// manner is how a window is drawn.
type manner string

// The manners.
const (
	mannerWanted manner = "wanted"
	mannerHeld   manner = "held"
	mannerUsed   manner = "used"
	mannerAmiss  manner = "not as wanted"
)

func (c *cli) timelineCommand() *cobra.Command {
	var asJSON, ascii bool
	var from, length string
	cmd := &cobra.Command{
		Use: "timeline", Short: "Shows the windows of each EVSE as a chart", Args: noMore,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.view = c.newView(asJSON)
			return c.timeline(cmd.Context(), from, length, ascii || !c.unicode())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "write JSON")
	f.BoolVar(&ascii, "ascii", false, "draw with ASCII only (as where LANG is not UTF-8)")
	f.StringVar(&from, "from", "2h", "begin at `TIME`, or a duration ago; +2h is ahead")
	f.StringVar(&length, "for", "24h", "show `DURATION` of it")
	return cmd
}

// unicode reports whether the locale can show more than ASCII.
func (c *cli) unicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := c.getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

func (c *cli) timeline(ctx context.Context, from, span string, ascii bool) error {
	clock := c.clock()
	start, err := clock.moment(from, -1)
	if err != nil {
		return err
	}
	d, err := length(span)
	if err != nil || d < time.Minute {
		return problemf(codeUsage, "--for is no duration", "%q is not a duration of a minute or more, such as 24h or 7d.", span)
	}
	r, closer, err := c.read(ctx)
	if err != nil {
		return err
	}
	defer closer()
	t := &timeline{FormatVersion: formatVersion, From: start, Until: start.Add(d), Now: clock.now, Rows: []row{}, place: r.place, empty: r.empty, ascii: ascii}
	if err := t.fill(ctx, r); err != nil {
		return err
	}
	c.view.About(t)
	return nil
}

// driftGrace is that of the command drift, unless it is told otherwise.
const driftGrace = 5 * time.Minute

// fill looks up what is in the range, at EVSEs that have nothing as well.
func (t *timeline) fill(ctx context.Context, r *reading) error {
	drift, err := r.Drift(ctx, driftGrace)
	if err != nil {
		return err
	}
	known := map[named]*stand{}
	if err := r.storedSince(ctx, known); err != nil {
		return err
	}
	for i := range drift {
		if d := &drift[i]; d.Kind != reconcile.DriftProof { // which is about what may become of it
			standOf(known, named{d.Workspace, d.Address}).amiss = d.Since
		}
	}
	rows := map[placeOfRow]*row{}
	for _, s := range r.stations(t.Now).Stations {
		for _, e := range s.EVSEs {
			t.row(rows, s.ID, reservation.Target{EVSE: e.ID})
		}
	}
	for i := range r.state.Declarations {
		for _, e := range r.state.Declarations[i].EVSEs {
			t.row(rows, r.state.Declarations[i].ID, reservation.Target{EVSE: e.ID})
		}
	}
	err = r.eachAddress(ctx, func(named) bool { return true }, func(n named, all []reservation.Placed) error {
		if t.most > 0 && t.windows > t.most {
			return problemf(codeUsage, "Too much for one answer", "These are more than %d windows: ask for a shorter time.", t.most)
		}
		s := standOf(known, n)
		for _, p := range all {
			t.put(rows, p, s, r.secret())
		}
		return s.ahead(t.Now, t.From, t.Until, all, func(w *reservation.Wanted, window reservation.Window) {
			t.add(t.row(rows, w.StationID, w.Target), bar{Address: w.Address, Workspace: w.Workspace, Phase: reservation.Scheduled, Window: window,
				Token: w.IDToken.Fingerprint(r.secret()), Parts: []part{{mannerWanted, window}}})
		})
	})
	if err != nil {
		return err
	}
	zones := zonesOf(known)
	for _, x := range rows {
		x.TimeZone = zones[x.StationID]
		slices.SortFunc(x.Windows, func(a, b bar) int {
			return cmp.Or(a.Window.Start.Compare(b.Window.Start), config.CompareAddresses(a.Address, b.Address))
		})
		t.Rows = append(t.Rows, *x)
	}
	slices.SortFunc(t.Rows, func(a, b row) int {
		return cmp.Or(config.CompareAddresses(a.StationID, b.StationID), cmp.Compare(uint(a.EVSE-1), uint(b.EVSE-1)), cmp.Compare(a.ConnectorType, b.ConnectorType))
	})
	return nil
}

// stand is what is known of an address beside its occurrences.
type stand struct {
	wanted *reservation.Wanted // nil: it is no longer
	amiss  time.Time           // since when it is drift; zero: it is none
}

func standOf(known map[named]*stand, n named) *stand {
	if known[n] == nil {
		known[n] = &stand{}
	}
	return known[n]
}

// storedSince looks up what is wanted, a workspace at a time.
func (r *reading) storedSince(ctx context.Context, known map[named]*stand) error {
	schedules := reservation.NewSchedules()
	for workspace := range r.state.Meta.Serials {
		all, err := r.Wanted(ctx, workspace)
		if err != nil {
			return err
		}
		for i := range all {
			schedules.ShareIn(&all[i].When)
			standOf(known, named{workspace, all[i].Address}).wanted = &all[i]
		}
	}
	return nil
}

// zonesOf finds out in which time zones stations are: those of their schedules,
// of several the one that most of them name.
func zonesOf(known map[named]*stand) map[string]string {
	counts := map[string]map[string]int{}
	for _, s := range known {
		if w := s.wanted; w != nil && w.When.Schedule != nil {
			if counts[w.StationID] == nil {
				counts[w.StationID] = map[string]int{}
			}
			counts[w.StationID][w.When.Schedule.TimeZone]++
		}
	}
	zones := map[string]string{}
	for station, n := range counts {
		zones[station] = slices.MinFunc(slices.Sorted(maps.Keys(n)), func(a, b string) int { return cmp.Compare(n[b], n[a]) })
	}
	return zones
}

// placeOfRow names a row.
type placeOfRow struct {
	station string
	target  reservation.Target
}

func (t *timeline) row(rows map[placeOfRow]*row, station string, at reservation.Target) *row {
	k := placeOfRow{station, at}
	if rows[k] == nil {
		rows[k] = &row{StationID: station, EVSE: at.EVSE, ConnectorType: at.ConnectorType, Windows: []bar{}}
	}
	return rows[k]
}

func (t *timeline) put(rows map[placeOfRow]*row, p reservation.Placed, s *stand, secret []byte) {
	o := p.Occurrence
	b := bar{Address: o.Address, Workspace: o.Workspace, Phase: o.PhaseAt(t.Now), Window: o.Window}
	if c := cmp.Or(o.Held, o.Asked, o.Want); c != nil {
		b.Token = c.IDToken.Fingerprint(secret)
	}
	for _, x := range partsOf(o, s, t.Now) {
		if x.Start.Before(x.Expiry) && x.Overlaps(reservation.Window{Start: t.From, Expiry: t.Until}) {
			b.Parts = append(b.Parts, x)
		}
	}
	if len(b.Parts) == 0 {
		return
	}
	at := o.Target()
	if at == (reservation.Target{}) && o.Want == nil && o.Held != nil {
		at = o.Held.Target
	}
	t.add(t.row(rows, p.StationID, at), b)
}

func (t *timeline) add(to *row, b bar) {
	to.Windows = append(to.Windows, b)
	t.windows++
}

// eachAddress visits all that is known of each address that is asked for, at every station.
func (r *reading) eachAddress(ctx context.Context, asked func(named) bool, visit func(named, []reservation.Placed) error) error {
	addresses := map[string][]string{} // by workspace
	for i := range r.state.Entries {
		if e := &r.state.Entries[i]; asked(named{e.Workspace, e.Address}) {
			addresses[e.Workspace] = append(addresses[e.Workspace], e.Address)
		}
	}
	for _, workspace := range slices.Sorted(maps.Keys(addresses)) {
		slices.Sort(addresses[workspace])
		for some := range slices.Chunk(slices.Compact(addresses[workspace]), atOnce) {
			all, err := r.Occurrences(ctx, workspace, some...)
			if err != nil {
				return err
			}
			for _, address := range some {
				n := 0
				for n < len(all) && all[n].Address == address {
					n++
				}
				if err := visit(named{workspace, address}, all[:n]); err != nil {
					return err
				}
				all = all[n:]
			}
		}
	}
	return nil
}

// atOnce is of how many addresses all is read at once.
const atOnce = 500

// ahead visits the windows of a schedule, between two moments, that are not begun yet.
func (s *stand) ahead(now, from, until time.Time, begun []reservation.Placed, visit func(*reservation.Wanted, reservation.Window)) error {
	if s.wanted == nil || s.wanted.When.Schedule == nil {
		return nil
	}
	recurrence, err := s.wanted.When.Schedule.Compile()
	if err != nil {
		return err
	}
	last := now
	for _, p := range begun {
		if p.Phase != reservation.Canceled {
			last = later(last, p.Start)
		}
	}
	for window := range recurrence.Between(later(last, from), until) {
		if window.Start.After(last) {
			visit(s.wanted, window)
		}
	}
	return nil
}

// partsOf divides a window by what is believed of it: where it stands, and
// since when. What was before that is known by its phase alone.
func partsOf(o *reservation.Occurrence, s *stand, now time.Time) []part {
	w, amiss := o.Window, s.amiss
	if o.Held != nil && o.Held.Expiry.After(w.Expiry) {
		w.Expiry = o.Held.Expiry
	}
	within := func(t time.Time) time.Time { return earlier(later(t, w.Start), w.Expiry) }
	turn, present := within(o.Since), within(now)
	one := func(m manner, from, until time.Time) part {
		return part{m, reservation.Window{Start: from, Expiry: until}}
	}
	before := mannerAmiss
	if o.EverHeld {
		before = mannerHeld
	}
	switch o.Phase {
	case reservation.Fulfilled:
		return []part{one(before, w.Start, turn), one(mannerUsed, turn, present)}
	case reservation.NoShow, reservation.Ended:
		return []part{one(mannerHeld, w.Start, turn)}
	case reservation.Canceled:
		if !o.EverHeld {
			return nil
		}
		return []part{one(mannerHeld, w.Start, turn)}
	case reservation.Missed:
		return []part{one(mannerAmiss, w.Start, w.Expiry)}
	case reservation.Dropped:
		return []part{one(mannerHeld, w.Start, turn), one(mannerAmiss, turn, w.Expiry)}
	case reservation.Held:
		began := within(o.AskedAt)
		if len(o.Past) > 0 || began.Sub(w.Start) < driftGrace {
			began = w.Start
		}
		if amiss.IsZero() {
			return []part{one(mannerAmiss, within(o.Late), began), one(mannerHeld, began, w.Expiry)}
		}
		return []part{one(mannerHeld, w.Start, within(amiss)), one(mannerAmiss, within(amiss), present), one(mannerHeld, present, w.Expiry)}
	}
	if amiss.IsZero() {
		return []part{one(mannerWanted, w.Start, w.Expiry)}
	}
	if !o.EverHeld {
		before = mannerWanted
	}
	return []part{one(before, w.Start, within(amiss)), one(mannerAmiss, within(amiss), present), one(mannerWanted, present, w.Expiry)}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
