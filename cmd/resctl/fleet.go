package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

// fleetFlags say which stations are simulated.
type fleetFlags struct {
	url        string
	count      int
	idFormat   string
	evses      int
	connectors []string
	quirks     []string
}

// The most that is simulated by one process.
const (
	maxSimulated      = 100_000
	maxSimulatedEVSEs = 1000
	maxIdentity       = 48 // identifierString[48] of OCPP 2.0.1
)

func (f *fleetFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.url, "url", "", "connect to `URL`, to which each station adds its identity, such as ws://127.0.0.1:8887/ocpp")
	s.IntVar(&f.count, "stations", 1, "simulate `N` stations")
	s.StringVar(&f.idFormat, "id-format", "SIM-%05d", "identities of the stations, numbered from 1, in `FORMAT` of printf")
	s.IntVar(&f.evses, "evses", 2, "each has `N` EVSEs")
	s.StringSliceVar(&f.connectors, "connector-types", []string{"cCCS2"}, "each EVSE has connectors of these `TYPES`, such as cCCS2,cType2")
	s.StringArrayVar(&f.quirks, "quirk", nil, "`NAME` or NAME=VALUE of a deviation from the standard; may be repeated")
}

// stations makes the stations, with everything checked.
func (f *fleetFlags) stations() ([]sim.Config, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	var quirks sim.Quirks
	for _, text := range f.quirks {
		if err := quirks.Set(text); err != nil {
			return nil, wrongQuirk(text, err)
		}
	}
	types := make([]v201.ConnectorType, len(f.connectors))
	for i, t := range f.connectors {
		types[i] = v201.ConnectorType(t)
	}
	evses := make([]sim.EVSE, f.evses)
	for i := range evses {
		evses[i] = sim.EVSE{ID: i + 1, Connectors: types}
	}
	list := make([]sim.Config, f.count)
	for i := range list {
		id := f.identity(i + 1)
		list[i] = sim.Config{ID: id, Serial: "SIM-" + id, Vendor: "resctl", Model: "Simulated", EVSEs: evses, Quirks: quirks}
	}
	return list, nil
}

// oneVerb is a format with one number in it.
var oneVerb = regexp.MustCompile(`^[^%]*%(0[1-9]\d?)?[doxX][^%]*$`)

func (f *fleetFlags) check() error {
	if err := checkURL(f.url); err != nil {
		return err
	}
	switch {
	case f.count < 1 || f.count > maxSimulated:
		return problemf(codeUsage, "Wrong --stations", "It is a number from 1 to %d.", maxSimulated)
	case f.evses < 1 || f.evses > maxSimulatedEVSEs:
		return problemf(codeUsage, "Wrong --evses", "It is a number from 1 to %d.", maxSimulatedEVSEs)
	case !oneVerb.MatchString(f.idFormat) && (f.count > 1 || strings.Contains(f.idFormat, "%")):
		return problemf(codeUsage, "Wrong --id-format", "%q needs exactly one place for a number, such as SIM-%%05d or DEPOT-%%d.", f.idFormat)
	case len(f.connectors) == 0:
		return problemf(codeUsage, "Wrong --connector-types", "It names one or more, such as cCCS2,cType2.")
	}
	for _, t := range f.connectors {
		if !slices.Contains(v201.ConnectorTypes(), v201.ConnectorType(t)) {
			return problemf(codeUsage, "Wrong --connector-types", "OCPP 2.0.1 has no %q.%s", t, meantType(t))
		}
	}
	return f.checkIdentity()
}

func meantType(t string) string {
	var known []string
	for _, k := range v201.ConnectorTypes() {
		known = append(known, string(k))
	}
	if hint := meant(t, known, func(s string) string { return s }); hint != "" {
		return hint
	}
	return " There are " + strings.Join(known, ", ") + "."
}

// checkIdentity looks at the longest identity.
func (f *fleetFlags) checkIdentity() error {
	id := f.identity(f.count)
	strange := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
	if id == "" || len(id) > maxIdentity || strings.ContainsFunc(id, strange) {
		return problemf(codeUsage, "Wrong --id-format", "%q is no identity of a station: it has 1 to %d characters, and no spaces.", id, maxIdentity)
	}
	return nil
}

// identity of the station with that number, from 1 on.
func (f *fleetFlags) identity(n int) string {
	if !strings.Contains(f.idFormat, "%") {
		return f.idFormat
	}
	return fmt.Sprintf(f.idFormat, n)
}

// checkURL wants an endpoint to which an identity can be added.
func checkURL(text string) error {
	const such = "Write the endpoint without identity, such as --url ws://127.0.0.1:8887/ocpp."
	u, err := url.Parse(text)
	switch {
	case text == "":
		return problemf(codeUsage, "No --url", "The stations need a CSMS to connect to. "+such)
	case err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "":
		return problemf(codeUsage, "Wrong --url", "%q is no ws:// or wss:// URL. "+such, text)
	case u.User != nil:
		return problemf(codeUsage, "Wrong --url", "It may hold no password. Use --password-file, or RESCTL_STATION_PASSWORD.")
	case u.RawQuery != "" || u.Fragment != "":
		return problemf(codeUsage, "Wrong --url", "The identity comes at its end, so it has no ? and no #. "+such)
	}
	return nil
}

// wrongQuirk says which quirks there are.
func wrongQuirk(text string, err error) error {
	name, _, _ := strings.Cut(text, "=")
	var names []string
	for _, k := range sim.QuirkNames() {
		if k.Name == name {
			return problemf(codeUsage, "Wrong --quirk", "%s.", capital(err.Error()))
		}
		names = append(names, k.Name)
	}
	if hint := meant(name, names, func(s string) string { return s }); hint != "" {
		return problemf(codeUsage, "Unknown --quirk "+name, "%s", strings.TrimSpace(hint))
	}
	return problemf(codeUsage, "Unknown --quirk "+name, "There are %s.", strings.Join(names, ", "))
}
