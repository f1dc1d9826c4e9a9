package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// TestDriftText shows each kind of drift once.
func TestDriftText(t *testing.T) {
	night := reservation.Window{Start: in(-time.Hour), Expiry: in(7 * time.Hour)}
	about := func(k reconcile.DriftKind, p reservation.Phase, r reservation.Reason) reconcile.Drifted {
		return reconcile.Drifted{Kind: k, StationID: "DEPOT-A-01", Workspace: "w", Address: `reservation.van["12"]`, EVSE: 1, ReservationID: 7, Phase: p, Reason: r, Since: in(-40 * time.Minute), Window: night}
	}
	later := about(reconcile.DriftOverdue, reservation.Pending, reservation.BecauseOccupied)
	later.Until, later.Info = in(90*time.Second), "cable\uFFFD"
	all := []reconcile.Drifted{about(reconcile.DriftRefused, reservation.Pending, reservation.BecauseRejected), about(reconcile.DriftRemoved, reservation.Dropped, reservation.BecauseRemoved),
		later, about(reconcile.DriftOverdue, reservation.Pending, reservation.BecauseOffline), about(reconcile.DriftUnsure, reservation.Unsure, reservation.BecauseNoAnswer),
		about(reconcile.DriftUpdate, reservation.Held, reservation.BecauseUpdate), about(reconcile.DriftForeign, reservation.Pending, reservation.BecauseOccupied), {Kind: reconcile.DriftReplaced, StationID: "DEPOT-A-02", Serial: "SN-2", Since: in(-26 * time.Hour)},
		{Kind: reconcile.DriftClock, StationID: "DEPOT-A-02", ClockSkew: -3601, Since: in(-time.Hour)},
		{Kind: reconcile.DriftProof, StationID: "DEPOT-A-03", Workspace: "w", Address: "reservation.a", Since: in(-time.Hour), Window: night, EVSEs: []int{1}, Times: 14,
			Members: []reconcile.Member{{Workspace: "w", Address: "reservation.a"}, {Workspace: "other", Address: `reservation.b["1"]`}}}}
	r := &driftReport{Grace: "5m0s", place: place{state: "resctl.db"}}
	for i := range all {
		r.Drift = append(r.Drift, driftAbout{all[i], nextOfDrift(&all[i], clock{now: sunday, zone: time.UTC})})
	}
	var got bytes.Buffer
	v := textViewOn(&got, 0)
	v.About(r)
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/drift.golden", got.Bytes())
}
