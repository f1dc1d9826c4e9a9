package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config/server"
	"github.com/resctl/resctl/ocppclient"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// ruleFlags say whom serve lets in and lets charge, and how long things last.
type ruleFlags struct {
	unknown, authorization          string
	retention, horizon, quiet, move time.Duration
	firstID                         int
}

func (f *ruleFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.unknown, "unknown-stations", "refuse", "`WHAT` becomes of a station that nothing declares: refuse, or accept, where nothing is asked of it")
	s.StringVar(&f.authorization, "authorization", "declared", "`WHICH` tokens may charge: the declared ones, or any")
	spanVar(s, &f.retention, "retention", retention, "keep the journal for `DURATION`, such as 90d")
	spanVar(s, &f.horizon, "horizon", reconcile.Horizon, "prove that everything fits for `DURATION` from now, where a plan does not say it itself")
	spanVar(s, &f.quiet, "quiet-period", 10*time.Second, "`DURATION` of silence after which a station has told all")
	spanVar(s, &f.move, "move-timeout", reconcile.DefaultMoveTimeout, "in a move, the old station holds on for `DURATION` at most when the new one does not answer")
	s.IntVar(&f.firstID, "first-reservation-id", 0, "a new state counts its reservation ids from `N`; 0: from a random one")
}

// check refuses what a server file could not say either.
func (f *ruleFlags) check() error {
	for _, d := range []struct {
		name        string
		given       time.Duration
		least, most time.Duration
	}{
		{"retention", f.retention, server.MinRetention, server.MaxRetention}, {"horizon", f.horizon, server.MinHorizon, server.MaxHorizon},
		{"quiet-period", f.quiet, 0, server.MaxQuietPeriod}, {"move-timeout", f.move, server.MinMoveTimeout, server.MaxMoveTimeout},
	} {
		if d.given < d.least || d.given > d.most {
			return problemf(codeUsage, "Wrong --"+d.name, "It is a duration from %s to %s.", spans{&d.least}, spans{&d.most})
		}
	}
	switch {
	case f.unknown != "refuse" && f.unknown != "accept":
		return problemf(codeUsage, "Wrong --unknown-stations", "It is refuse or accept.")
	case f.authorization != "declared" && f.authorization != "any":
		return problemf(codeUsage, "Wrong --authorization", "It is declared or any.")
	case f.firstID < 0 || f.firstID > server.MaxFirstReservationID:
		return problemf(codeUsage, "Wrong --first-reservation-id", "It is a number from 1 to %d; 0 begins at a random one.", server.MaxFirstReservationID)
	}
	return nil
}

// settings are the waits of the stations' loops.
func (f *ruleFlags) settings() reconcile.Settings {
	s := reconcile.DefaultSettings()
	s.QuietPeriod, s.QuietMax = f.quiet, max(f.quiet, s.QuietMax)
	return s
}

// follow keeps to these rules from now on.
func (w *workplace) follow(f ruleFlags) {
	w.strangers, w.anyToken, w.retention = f.unknown == "accept", f.authorization == "any", f.retention
	w.Ledger.Horizon, w.Ledger.MoveTimeout = f.horizon, f.move
}

// checkStrangers refuses to let in stations that nothing declares where they have
// no way to show that they are stations.
func checkStrangers(f ruleFlags, profile ocppclient.Profile, address string) error {
	if f.unknown != "accept" {
		return nil
	}
	switch {
	case profile == ocppclient.ProfileBasic || profile == ocppclient.ProfileTLS:
		return problemf(codeUnproven, "An unknown station could not come in", "At security profile %d every station has a password, and one that nothing declares has none.\nRefuse unknown stations, or use security profile 3: its certificates show that they are stations.", profile)
	case profile == ocppclient.ProfileNone && ocppclient.CheckExposure(address, false, false) != nil:
		return problemf(codeExposed, "Anyone could come in as an unknown station", "Other machines reach %s, and unknown stations have no password.\nRefuse them, listen on 127.0.0.1, or use security profile 3. --insecure does not allow it.", address)
	}
	return nil
}

// admission says how a station comes in. A stranger comes in as what it says it is.
func (w *workplace) admission(ctx context.Context, known *roster, identity string, simulated bool) (ocppclient.Admission, error) {
	m, ok, err := known.find(ctx, identity)
	if err == nil && !ok && w.strangers {
		return ocppclient.Admission{Known: true, Stranger: true, Identity: identity}, nil
	}
	protected := m.declared.PasswordHash != ""
	a := ocppclient.Admission{Known: ok, Identity: m.id, SerialNumber: m.declared.SerialNumber}
	if ok && w.guarded && !protected {
		a.Known, a.Hint = false, "it has no password, and other machines reach this address: add one to its station block"
	}
	if protected && !simulated {
		a.CheckPassword = m.declared.CheckPassword
	}
	return a, err
}

// authorize lets those charge whom the rules name. The group is known of declared
// tokens alone.
func (w *workplace) authorize(known *roster) func(context.Context, string, reservation.Token) (bool, *reservation.Token) {
	return func(ctx context.Context, station string, t reservation.Token) (bool, *reservation.Token) {
		ok, group := known.authorize(ctx, station, t)
		return ok || w.anyToken, group
	}
}

// ruleWords say which rules differ from what is usual.
func (f *ruleFlags) words() string {
	var list []string
	if f.unknown == "accept" {
		list = append(list, "unknown stations come in, and nothing is asked of them")
	}
	if f.authorization == "any" {
		list = append(list, "every token may charge")
	}
	if f.firstID != 0 {
		list = append(list, fmt.Sprintf("a new state counts reservation ids from %d", f.firstID))
	}
	return strings.Join(list, "; ")
}
