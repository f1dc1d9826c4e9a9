package reconcile_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestDrift goes through what an occurrence can be like an hour into its window.
func TestDrift(t *testing.T) {
	start := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	now := start.Add(time.Hour)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	type occ = reservation.Occurrence
	for name, c := range map[string]struct {
		edit    func(*occ)
		offline bool
		want    string // kind, age, reason
	}{
		"held":                         {func(o *occ) { o.Phase, o.ID, o.Held = reservation.Held, 7, o.Want }, false, ""},
		"held, and its update refused": {func(o *occ) { held(o); o.UpdateRefused, o.Reason = o.Want, reservation.BecauseUpdate }, false, "update refused 30m0s update refused"},
		"held, an update is under way": {func(o *occ) { held(o) }, false, ""},
		"rejected":                     {func(o *occ) { o.Reason, o.NoRetry = reservation.BecauseRejected, true }, false, "refused 30m0s rejected"},
		"rejected, and offline by now": {func(o *occ) { o.Reason, o.NoRetry = reservation.BecauseRejected, true }, true, "refused 30m0s rejected"},
		"refused before its window":    {func(o *occ) { o.Reason, o.NoRetry, o.Start = reservation.BecauseRefused, true, now.Add(time.Minute) }, false, "refused 30m0s refused"},
		"refused a moment ago":         {func(o *occ) { o.Reason, o.NoRetry, o.Since = reservation.BecauseRefused, true, ago(4*time.Minute) }, false, ""},
		"dropped":                      {func(o *occ) { o.Reason, o.RetryAt = reservation.BecauseRemoved, now.Add(time.Minute) }, false, "removed 30m0s removed"},
		"occupied":                     {func(o *occ) { o.Reason, o.RetryAt = reservation.BecauseOccupied, now.Add(time.Minute) }, false, "overdue 1h0m0s occupied"},
		"occupied, its lead time":      {func(o *occ) { o.Reason, o.Start = reservation.BecauseOccupied, now.Add(time.Minute) }, false, ""},
		"offline":                      {func(o *occ) { o.Phase, o.Since = reservation.Scheduled, ago(2*time.Hour) }, true, "overdue 1h0m0s offline"},
		"offline, stored late":         {func(o *occ) { o.Phase, o.Late = reservation.Scheduled, ago(30*time.Minute) }, true, "overdue 30m0s offline"},
		"occupied, stored late": {func(o *occ) {
			o.Reason, o.RetryAt, o.Late = reservation.BecauseOccupied, now.Add(time.Minute), ago(20*time.Minute)
		}, false, "overdue 20m0s occupied"},
		"not due":                        {func(o *occ) { o.Phase, o.Due, o.Start = reservation.Scheduled, now.Add(time.Hour), now.Add(time.Hour) }, false, ""},
		"unsure":                         {func(o *occ) { unsure(o) }, false, "unsure 30m0s no answer"},
		"unsure, and offline":            {func(o *occ) { unsure(o) }, true, "overdue 1h0m0s offline"},
		"unsure for a moment":            {func(o *occ) { unsure(o); o.Since = ago(time.Minute) }, false, ""},
		"being cancelled to begin anew":  {func(o *occ) { o.Phase, o.ID, o.MustCancel = reservation.Canceling, 7, true }, false, "overdue 1h0m0s "},
		"no longer wanted":               {func(o *occ) { o.Phase, o.ID, o.Want = reservation.Canceling, 7, nil }, false, ""},
		"its window is over":             {func(o *occ) { o.Want.Expiry = ago(time.Minute) }, false, ""},
		"ended, and left at its station": {func(o *occ) { o.Phase, o.ID = reservation.Ended, 7 }, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := &occ{Key: reservation.Key{Workspace: "w", Address: "reservation.van", Start: start}, Due: start, Phase: reservation.Pending, Since: ago(30 * time.Minute),
				Want: &reservation.Content{Target: reservation.Target{EVSE: 1}, Expiry: start.Add(8 * time.Hour)}}
			c.edit(o)
			b := reservation.NewBook("S")
			b.Station = reservation.Station{ID: "S", Live: []int64{1}, ConnectedAt: ago(3 * time.Hour), BootAccepted: true}
			if c.offline {
				b.Station.Live = nil
			}
			b.Put(o)
			var got []string
			for _, d := range reconcile.DefaultSettings().Drift(&reconcile.State{}, []*reservation.Book{b}, 5*time.Minute, now) {
				got = append(got, fmt.Sprintf("%s %s %s", d.Kind, now.Sub(d.Since), d.Reason))
			}
			tallied := 0
			for kind, n := range reconcile.DefaultSettings().Tally(b, nil, 5*time.Minute, now).Drift {
				if tallied += n; !slices.Contains(reconcile.DriftKinds(), kind) {
					t.Errorf("%s is not among the kinds", kind)
				}
			}
			if tallied != len(got) {
				t.Errorf("%d are tallied, %d listed", tallied, len(got))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("%q, want %q", s, c.want)
			}
		})
	}
}

func held(o *reservation.Occurrence) {
	before := *o.Want
	before.Expiry = before.Expiry.Add(-time.Hour)
	o.Phase, o.ID, o.Held = reservation.Held, 7, &before
}

func unsure(o *reservation.Occurrence) {
	o.Phase, o.Reason, o.ID, o.Asked, o.Tries = reservation.Unsure, reservation.BecauseNoAnswer, 7, o.Want, 2
}

func TestDriftOfStations(t *testing.T) {
	now := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	hour := now.Add(-time.Hour)
	gone := reservation.Entry{Workspace: "w", Address: "reservation.van", StationID: "S", Hash: "h", Phase: reservation.Dropped, Since: hour,
		Window: reservation.Window{Start: hour, Expiry: now.Add(time.Hour)}}
	over, unwanted := gone, gone
	over.Window.Expiry, unwanted.Hash = now, ""
	st := &reconcile.State{
		Entries: []reservation.Entry{gone, over, unwanted},
		Stations: []reservation.Station{
			{ID: "OFF", ClockSkew: -61 * time.Second, ConnectedAt: hour}, {ID: "RIGHT", ClockSkew: 60 * time.Second, ConnectedAt: hour},
			{ID: "SWAPPED", Serial: "2", ReplacedAt: hour}, {ID: "KNOWN", Serial: "2", ReplacedAt: hour}, {ID: "FRESH", Serial: "2", ReplacedAt: now.Add(-time.Minute)},
		},
		Declarations: []reservation.StationDeclaration{{ID: "KNOWN", SerialNumber: "2"}, {ID: "SWAPPED", SerialNumber: "1"}},
	}
	var got []string
	for _, d := range reconcile.DefaultSettings().Drift(st, nil, 5*time.Minute, now) {
		got = append(got, fmt.Sprintf("%s %s %g %s", d.StationID, d.Kind, d.ClockSkew, d.Serial))
	}
	if s := strings.Join(got, "; "); s != "OFF clock off -61 ; S removed 0 ; SWAPPED station replaced 0 2" {
		t.Error(s)
	}
}
