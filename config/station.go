package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/reservation"
)

// declaredStation is what reservations are checked against.
type declaredStation struct {
	reservation.StationDeclaration
	rng   hcl.Range
	evses []string        // as words for a message
	types map[string]bool // nil if some EVSE does not say its connectors
}

func (d *declaredStation) has(evse int) bool {
	return len(d.EVSEs) == 0 || slices.ContainsFunc(d.EVSEs, func(e reservation.EVSE) bool { return e.ID == evse })
}

// evseType and stationType are the objects that references see.
var (
	evseType    = cty.Object(map[string]cty.Type{"id": cty.Number, "connector_types": cty.List(cty.String)})
	stationType = cty.Object(map[string]cty.Type{"id": cty.String, "evse": cty.Map(evseType)})
)

// readStation evaluates a station block, declares its instances and gives the
// value that references to it have.
func (m *module) readStation(b *blockOf, ctx *hcl.EvalContext) cty.Value {
	return m.repeated(b, ctx, stationType, func(in *instance) cty.Value { return in.station(b, in.key) })
}

// station reads one instance; a wrong one is an unknown value, about which
// nothing further is said.
func (s *instance) station(b *blockOf, key cty.Value) cty.Value {
	before := s.l.diags.Errors()
	b, ok := s.opened(b)
	if !ok {
		return cty.UnknownVal(stationType)
	}
	d := reservation.StationDeclaration{Address: s.address, Workspace: s.l.cfg.Workspace, Source: b.source}
	d.ID = s.stationID(b, key)
	d.OCPPVersion, _ = s.choiceOf(b, "ocpp_version", ocppVersions)
	d.SerialNumber = s.serial(b.attrs["serial_number"])
	d.ClearPassword = s.password(b.attrs["password"])
	d.EVSEs = s.evses(b, d.OCPPVersion)
	if d.ID == "" || s.l.diags.Errors() > before {
		return cty.UnknownVal(stationType)
	}
	if !s.l.declareStation(d, b.DefRange) {
		return cty.UnknownVal(stationType)
	}
	return stationValue(d)
}

func (s *scope) choiceOf(b *blockOf, name string, allowed []string) (string, bool) {
	if a := b.attrs[name]; a != nil {
		return s.choice(a, allowed...)
	}
	return "", false
}

func (l *loader) declareStation(d reservation.StationDeclaration, rng hcl.Range) bool {
	fold := strings.ToLower(d.ID) // OCPP compares identities without case
	if first, ok := l.byFold[fold]; ok {
		l.err(problem{code: codeStationTwice, summary: "Station declared twice", subject: rng.Ptr(), address: d.Address,
			detail: fmt.Sprintf("The station %q is declared already, as %s at %s. Keep one; elsewhere refer to it as %[2]s.", d.ID, first.Address, first.Source)})
		return false
	}
	known := &declaredStation{StationDeclaration: d, rng: rng, types: map[string]bool{}}
	for _, e := range d.EVSEs {
		known.evses = append(known.evses, strconv.Itoa(e.ID))
		if len(e.ConnectorTypes) == 0 {
			known.types = nil
		}
		for _, t := range e.ConnectorTypes {
			if known.types != nil {
				known.types[t] = true
			}
		}
	}
	if len(d.EVSEs) == 0 {
		known.types = nil
	}
	l.byID[d.ID], l.byFold[fold] = known, known
	l.cfg.Stations = append(l.cfg.Stations, d)
	l.cfg.ranges[d.Address] = &known.rng
	return true
}

func stationValue(d reservation.StationDeclaration) cty.Value {
	evses := make(map[string]cty.Value, len(d.EVSEs))
	for _, e := range d.EVSEs {
		types := make([]cty.Value, len(e.ConnectorTypes))
		for i, t := range e.ConnectorTypes {
			types[i] = cty.StringVal(t)
		}
		list := cty.ListValEmpty(cty.String)
		if len(types) > 0 {
			list = cty.ListVal(types)
		}
		evses[strconv.Itoa(e.ID)] = cty.ObjectVal(map[string]cty.Value{"id": cty.NumberIntVal(int64(e.ID)), "connector_types": list})
	}
	m := cty.MapValEmpty(evseType)
	if len(evses) > 0 {
		m = cty.MapVal(evses)
	}
	return cty.ObjectVal(map[string]cty.Value{"id": cty.StringVal(d.ID), "evse": m})
}

// stationID is the OCPP identity: as written, else the label of a single block.
func (s *scope) stationID(b *blockOf, key cty.Value) string {
	a := b.attrs["id"]
	id, marked, ok := "", false, true
	if a != nil {
		before := s.l.diags.Errors()
		if id, marked, ok = s.rawText(a); !ok && s.l.diags.Errors() > before {
			return ""
		}
	}
	switch {
	case a != nil && marked:
		s.wrong(codeSensitive, "Sensitive station identity", "id is sensitive, but identities are shown everywhere. Write nonsensitive(…) if it is no secret.", a.Expr)
		return ""
	case (a == nil || !ok) && key != cty.NilVal:
		s.l.err(problem{code: codeArgument, summary: "Missing required argument", subject: b.DefRange.Ptr(), address: s.address,
			detail: `A station block with for_each or count needs an id, such as id = each.key.`})
		return ""
	case a == nil || !ok:
		id = b.Labels[0]
	}
	if msg := CheckIdentity(id); msg != "" {
		rng := b.DefRange
		if a != nil {
			rng = a.Expr.Range()
		}
		s.l.err(problem{code: codeIdentity, summary: "Invalid station identity", subject: &rng, address: s.address, detail: fmt.Sprintf("The OCPP identity %q cannot be used: %s.", id, msg)})
		return ""
	}
	return id
}

func (s *scope) serial(a *hcl.Attribute) string {
	text, ok := s.text(a)
	if ok && (text == "" || utf8.RuneCountInString(text) > 25) {
		s.wrong(codeValue, "Invalid serial number", "serial_number has 1 to 25 characters, as the station sends it when it boots.", a.Expr)
	}
	return text
}

// password reads a station password. It never appears in a message.
func (s *scope) password(a *hcl.Attribute) string {
	text, ok := s.text(a)
	if !ok {
		return ""
	}
	n := utf8.RuneCountInString(text)
	if n < 16 || n > 64 || strings.IndexFunc(text, control) >= 0 {
		s.l.err(problem{code: codePassword, summary: "Invalid password", subject: a.Expr.Range().Ptr(), address: s.address, quiet: true,
			detail: "A station password has 16 to 64 characters, none of them a control character. Use random ones."})
		return ""
	}
	return text
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }

func (s *scope) evses(b *blockOf, version string) []reservation.EVSE {
	var out []reservation.EVSE
	for _, e := range b.many {
		id, err := strconv.Atoi(e.Labels[0])
		if err != nil || id < 1 || id > 1<<31-1 || strconv.Itoa(id) != e.Labels[0] {
			s.l.err(problem{code: codeTarget, summary: "Invalid EVSE", subject: e.LabelRanges[0].Ptr(), address: s.address,
				detail: `The label of an evse block is its number, from 1 on: evse "1" { … }.`})
			continue
		}
		if slices.ContainsFunc(out, func(o reservation.EVSE) bool { return o.ID == id }) {
			s.l.err(problem{code: codeDuplicate, summary: "Declared twice", subject: e.DefRange.Ptr(), address: s.address, detail: fmt.Sprintf("EVSE %d is declared already in this block.", id)})
			continue
		}
		var types []string
		if a := e.attrs["connector_types"]; a != nil {
			types, _ = s.words(a, "cCCS2")
			for _, t := range types {
				s.connector(t, "connector_types", version, a.Expr)
			}
		}
		out = append(out, reservation.EVSE{ID: id, ConnectorTypes: types})
	}
	slices.SortFunc(out, func(a, b reservation.EVSE) int { return a.ID - b.ID })
	return out
}
