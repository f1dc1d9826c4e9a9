package main

import (
	"errors"
	"strings"
	"time"

	"github.com/agext/levenshtein"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/reconcile"
)

// choiceFlags say which part of the configuration is planned, and how.
type choiceFlags struct {
	reconcile.Choice
	at      string // of plan; apply is always now
	horizon string
}

// maxHorizon is how far a proof looks ahead at most, for its work grows with it.
const maxHorizon = 3660 * 24 * time.Hour

func (f *choiceFlags) flags(s *pflag.FlagSet) {
	s.Var(globs{&f.Target}, "target", "only changes of addresses that match `GLOB`, such as 'van*'; may be repeated")
	s.Var(globs{&f.Exclude}, "exclude", "no changes of addresses that match `GLOB`; may be repeated")
	s.StringVar(&f.horizon, "horizon", "", "prove that everything fits for `DURATION` from now, such as 36h or 90d (default 14d, or what serve says)")
	s.Var(globs{&f.Replace}, "replace", "cancel and reserve anew what matches `GLOB`, though nothing differs; may be repeated")
}

func (f *choiceFlags) destroyFlag(s *pflag.FlagSet) {
	s.BoolVar(&f.Destroy, "destroy", false, "cancel everything of the workspace, and remove its station blocks")
}

// globs is a flag that may be repeated. A comma is part of a glob.
type globs struct{ list *[]string }

func (g globs) Set(s string) error { *g.list = append(*g.list, s); return nil }
func (globs) String() string       { return "" }
func (globs) Type() string         { return "string" }

// given reports whether anything but the whole configuration, proven as far as
// always, is asked for.
func (f *choiceFlags) given() bool {
	return f.Destroy || f.Partial() || len(f.Replace) > 0 || f.horizon != ""
}

// check refuses what does not go together, and reads the time.
func (f *choiceFlags) check(now time.Time) error {
	switch {
	case len(f.Target) > 0 && len(f.Exclude) > 0:
		return problemf(codeUsage, "--target and --exclude", "They exclude each other: say either what is to change, or what is not.")
	case f.Destroy && len(f.Replace) > 0:
		return problemf(codeUsage, "--destroy and --replace", "They exclude each other: what is destroyed does not begin anew.")
	}
	if f.horizon != "" {
		ahead, err := config.ParseDuration(f.horizon)
		if err != nil || ahead <= 0 || ahead > maxHorizon {
			return problemf(codeUsage, "--horizon is no duration", "%q is not a duration of up to 3660 days, such as 36h or 90d.", f.horizon)
		}
		f.Horizon = ahead
	}
	if f.at == "" {
		return nil
	}
	if d, err := length(strings.TrimPrefix(f.at, "+")); err == nil {
		f.At = now.Add(d)
		return nil
	}
	at, err := time.Parse(time.RFC3339, f.at)
	if err != nil {
		return problemf(codeUsage, "--at is no time", "%q is neither a time such as %s nor a distance from now such as 12h.", f.at, now.Format(time.RFC3339))
	}
	f.At = at
	return nil
}

// noMatch says of a glob without a match which address may have been meant.
func noMatch(e *reconcile.NoMatchError) *problem {
	hint := "Nothing is declared or stored yet."
	if len(e.Known) > 0 {
		hint = "resctl show and the configuration have the addresses; * stands for any characters."
	}
	best := len(e.Glob)/2 + 1
	for _, known := range e.Known {
		for _, a := range []string{known, short(known), strings.ReplaceAll(short(known), `"`, "")} {
			if d := levenshtein.Distance(e.Glob, a, nil); d < best {
				best, hint = d, "Did you mean "+shellWord(short(known))+"?"
			}
		}
	}
	return problemf(codeNoAddress, "No such address", "--%s %s matches nothing that is declared or stored. %s", e.Option, shellWord(e.Glob), hint)
}

// asNoMatch finds such an error in a chain.
func asNoMatch(err error) *reconcile.NoMatchError {
	var no *reconcile.NoMatchError
	errors.As(err, &no)
	return no
}
