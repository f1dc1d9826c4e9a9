package main

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// inputs are --var and --var-file in the order in which they were given: the
// last one wins.
type inputs struct{ list *[]config.Input }

func (in *inputs) flags(f *pflag.FlagSet) {
	in.list = new([]config.Input)
	f.Var(input{in.list, false}, "var", "set a variable: `NAME=VALUE`; may be repeated")
	f.Var(input{in.list, true}, "var-file", "read variables from `FILE`; may be repeated")
}

// given reports whether there are any.
func (in *inputs) given() bool { return len(*in.list) > 0 }

// input is one of the two flags, as pflag has it.
type input struct {
	list *[]config.Input
	file bool
}

func (i input) Set(s string) error {
	if i.file {
		*i.list = append(*i.list, config.Input{File: s})
	} else {
		*i.list = append(*i.list, config.Input{Var: s})
	}
	return nil
}

func (input) String() string { return "" }
func (input) Type() string   { return "string" }

// load reads the configuration of the directory.
func (c *cli) load(vars inputs) (*config.Configuration, *diag.Diagnostics) {
	return config.Load(config.Options{Dir: c.chdir, Inputs: *vars.list, Env: c.env, Version: version})
}

func (c *cli) directory() string {
	if c.chdir == "" {
		return "."
	}
	return filepath.Clean(c.chdir)
}

// desired is a configuration as a ledger takes it.
func desired(cfg *config.Configuration) reconcile.Desired {
	slices.SortFunc(cfg.Reservations, func(a, b reservation.Declaration) int { return strings.Compare(a.Address, b.Address) })
	want := reconcile.Desired{Workspace: cfg.Workspace, Stations: cfg.Stations, Tokens: cfg.Tokens, Reservations: cfg.Reservations}
	for _, m := range cfg.Moved {
		want.Renames = append(want.Renames, reconcile.Rename{From: m.From, To: m.To, Source: source(m.Range)})
	}
	for _, r := range cfg.Removed {
		want.Removals = append(want.Removals, reconcile.Removal{From: r.From, Cancel: r.Cancel, Source: source(r.Range)})
	}
	for _, i := range cfg.Imports {
		want.Adoptions = append(want.Adoptions, reconcile.Adoption{Address: i.To, StationID: i.StationID, ReservationID: i.ReservationID, Source: source(i.Range)})
	}
	return want
}

// source is a place in the configuration, "fleet.hcl:41".
func source(r hcl.Range) string { return r.Filename + ":" + strconv.Itoa(r.Start.Line) }

// findings turns what a plan found into diagnostics, with the place in the
// configuration where it has one. What a plan shows in its lines is left out.
func findings(p *reconcile.Plan, cfg *config.Configuration) *diag.Diagnostics {
	var sources *diag.Sources
	if cfg != nil {
		sources = cfg.Sources
	}
	ds := diag.New(sources)
	for _, f := range p.Findings {
		if f.Severity == reconcile.Notice {
			continue
		}
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: capital(f.Summary), Detail: f.Detail, Subject: rangeOf(f, cfg)}
		if f.Severity == reconcile.Warning {
			d.Severity = hcl.DiagWarning
		}
		ds.Append(diag.Coded(d, f.Code, f.Address))
	}
	return ds
}

// rangeOf is where a finding's address is declared or, if it is no longer,
// where it was.
func rangeOf(f reconcile.Finding, cfg *config.Configuration) *hcl.Range {
	if cfg != nil {
		if r, ok := cfg.RangeOf(f.Address); ok {
			return &r
		}
	}
	file, line, ok := strings.Cut(f.Range, ":")
	n, err := strconv.Atoi(line)
	if !ok || err != nil {
		return nil
	}
	return &hcl.Range{Filename: file, Start: hcl.Pos{Line: n}, End: hcl.Pos{Line: n}}
}

// capital makes a sentence's first letter large; identities and names of the
// language stay as they are.
func capital(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if first == strings.ToLower(first) && s != "" && !strings.ContainsAny(first, "._") {
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return s
}
