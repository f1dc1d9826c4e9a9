package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/resctl/resctl/reservation"
)

// version is what one version of OCPP lets a request for a reservation say.
// Lengths are in characters.
type version struct {
	name       string // as it is declared; the WebSocket subprotocol has "ocpp" before it
	token      int    // 1.6 CiString20Type; 2.x IdTokenType.idToken
	additional int    // IdTokenType.additionalInfo[].additionalIdToken; 0: there is none
	typed      bool   // tokens have a type; 1.6's idTag and parentIdTag are characters alone
	types      words  // IdTokenType.type
	identifier bool   // tokens are of identifierString's characters
	connectors words  // ReserveNowRequest.connectorType; empty: there is none
	connector0 bool   // any EVSE is connector 0, which is optional (ReserveConnectorZeroSupported)
}

// words are an enumeration: closed, or any word of up to so many characters.
type words struct {
	closed []string
	open   int
}

func (w words) has(word string) bool {
	return slices.Contains(w.closed, word) || utf8.RuneCountInString(word) <= w.open
}

func (w words) none() bool { return w.open == 0 && len(w.closed) == 0 }

// versions are the table: OCPP 1.6 (ReserveNow.req, 5.13), 2.0.1 and 2.1
// (ReserveNowRequest, H01; IdTokenType, IdTokenEnumType, ConnectorEnumType).
func versions() []version {
	return []version{
		{name: "1.6", token: 20, connector0: true},
		{name: "2.0.1", token: 36, additional: 36, typed: true, identifier: true,
			types: words{closed: []string{"Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress", noAuthorization}},
			connectors: words{closed: []string{"cCCS1", "cCCS2", "cG105", "cTesla", "cType1", "cType2",
				"s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7", "sType2", "sType3",
				"Other1PhMax16A", "Other1PhOver16A", "Other3Ph", "Pan", "wInductive", "wResonant", "Undetermined", "Unknown"}}},
		{name: "2.1", token: 255, additional: 255, typed: true, identifier: true, types: words{open: 20}, connectors: words{open: 20}},
	}
}

const noAuthorization = "NoAuthorization"

// versionNamed finds a version by its name or its subprotocol; nil: it is none
// that is known here.
func versionNamed(name string) *version {
	all := versions()
	i := slices.IndexFunc(all, func(v version) bool { return v.name == strings.TrimPrefix(name, "ocpp") })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// misfit is what of a declaration a version cannot say, or (not never) what not
// every station that speaks it takes.
type misfit struct {
	version, code, what string
	never               bool
}

// misfits is all of it. No token is quoted.
func (v *version) misfits(d *reservation.Declaration) []misfit {
	all := v.ofToken("its token", &d.IDToken)
	if d.GroupIDToken != nil {
		all = append(all, v.ofToken("its group token", d.GroupIDToken)...)
	}
	switch t := d.ConnectorType; {
	case t != "" && v.connectors.none():
		all = append(all, misfit{v.name, "RC406", "OCPP " + v.name + " cannot reserve by connector type", true})
	case t != "" && !v.connectors.has(t):
		all = append(all, misfit{v.name, "RC406", fmt.Sprintf("OCPP %s has no connector type %s", v.name, t), true})
	case v.connector0 && d.EVSE == 0:
		all = append(all, misfit{v.name, "RC407", "in OCPP " + v.name + " stations need not take a reservation of any EVSE (ReserveConnectorZeroSupported)", false})
	}
	return all
}

func (v *version) ofToken(whose string, t *reservation.Token) (all []misfit) {
	say := func(never bool, format string, args ...any) {
		all = append(all, misfit{v.name, "RC405", whose + " " + fmt.Sprintf(format, args...), never})
	}
	if n := utf8.RuneCountInString(t.IDToken); n > v.token {
		say(true, "has %d characters, and OCPP %s allows %d", n, v.name, v.token)
	}
	switch {
	case !v.typed && t.Type == noAuthorization, v.typed && !v.types.has(t.Type):
		say(true, "is of type %s, which OCPP %s does not have", t.Type, v.name)
	case v.identifier && strings.ContainsFunc(t.IDToken, func(r rune) bool { return !identifierRune(r) }):
		say(false, "has characters other than letters, digits and * - _ = : + | @ . of which OCPP %s makes tokens", v.name)
	}
	if len(t.AdditionalInfo) > 0 && v.additional == 0 {
		say(false, "has additional_info, which OCPP %s does not have", v.name)
	}
	for _, a := range t.AdditionalInfo {
		if n := utf8.RuneCountInString(a.AdditionalIDToken); v.additional > 0 && n > v.additional {
			say(true, "has additional_info of %d characters, and OCPP %s allows %d", n, v.name, v.additional)
		}
	}
	return all
}

// identifierRune is of OCPP 2.x's identifierString.
func identifierRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("*-_=:+|@.", r)
}

// tongue is what is known of the version that a station speaks.
type tongue struct {
	may   []*version // that it last spoke, and that it is declared to speak
	known bool       // false: these are the ones that resctl speaks
	spoke bool       // the first is the one that it last spoke
	text  string     // how it is known
}

// add takes a version in; one that is not known here says nothing.
func (t *tongue) add(name string) {
	if v := versionNamed(name); v != nil {
		t.may = append(t.may, v)
	}
}

// lastSpoken is the version that a station spoke when it last connected.
func (p *planner) lastSpoken(id string) string {
	if s := p.stations[id]; s != nil {
		return strings.TrimPrefix(s.Protocol, "ocpp")
	}
	return ""
}

// tongueOf gives the version that a station last spoke and the one that it is
// declared to speak or, where neither is known, those that resctl speaks.
func (p *planner) tongueOf(id, declared string) tongue {
	last, t := p.lastSpoken(id), tongue{known: true}
	switch {
	case last != "" && declared != "" && last != declared:
		t.text = fmt.Sprintf("It last spoke OCPP %s, and is declared to speak %s.", last, declared)
		t.add(last)
		t.add(declared)
	case last != "":
		t.text = fmt.Sprintf("It last spoke OCPP %s.", last)
		t.add(last)
	case declared != "":
		t.text = fmt.Sprintf("It is declared to speak OCPP %s.", declared)
		t.add(declared)
	}
	if t.spoke = versionNamed(last) != nil; len(t.may) > 0 {
		return t
	}
	t = tongue{text: "It is not known which version it speaks."}
	if speaks := p.ledger.Speaks; len(speaks) > 0 {
		t.text += " resctl speaks OCPP " + strings.Join(speaks, ", ") + "."
		for _, name := range speaks {
			t.add(name)
		}
	}
	return t
}

// fitVersions holds what the plan would ask for against what each station's
// version can say, and the declared versions against those that are spoken.
func (p *planner) fitVersions() {
	declared := map[string]string{}
	for _, d := range p.state.Declarations {
		if d.Workspace != p.want.Workspace {
			declared[d.ID] = d.OCPPVersion
		}
	}
	for i := range p.want.Stations {
		d := &p.want.Stations[i]
		declared[d.ID] = d.OCPPVersion
		if p.want.Choice.takes(d.Address) {
			p.fitDeclared(d)
		}
	}
	tongues := map[string]tongue{}
	for i := range p.plan.Changes {
		c := &p.plan.Changes[i]
		if c.After == nil || c.Over || !asksAnew(c) {
			continue
		}
		t, ok := tongues[c.StationID]
		if !ok {
			t = p.tongueOf(c.StationID, declared[c.StationID])
			tongues[c.StationID] = t
		}
		p.fitTongue(c, t)
	}
}

// asksAnew reports whether a change asks for anything that was not accepted
// into the state before; its time apart.
func asksAnew(c *Change) bool {
	return c.Before == nil || c.Anew || c.Before.StationID != c.After.StationID || !c.Before.Content(c.Window).Equal(c.After.Content(c.Window))
}

// fitTongue says once for each code what does not fit. It is an error only where
// no version that the station is known to speak can say it; what is held is not
// risked for a version that the station has not spoken yet.
func (p *planner) fitTongue(c *Change, t tongue) {
	if t.spoke && c.ReservationID != 0 {
		t.may = t.may[:1]
	}
	var found []misfit
	for _, v := range t.may {
		found = append(found, v.misfits(c.After)...)
	}
	for len(found) > 0 {
		m := found[0]
		never, of := map[string]bool{}, func(x misfit) bool { return x.code == m.code }
		for _, x := range found {
			if of(x) && x.never {
				never[x.version] = true
			}
		}
		found = slices.DeleteFunc(found, of)
		f := Finding{Code: m.code, Severity: Warning, Address: c.Address, Range: c.After.Source, StationID: c.StationID}
		verb := "may not"
		if t.known && len(never) == len(t.may) {
			f.Severity, verb = Error, "cannot"
		} else if !t.known && len(never) == 0 {
			continue // a guess about a guess
		}
		f.Summary = fmt.Sprintf("%s %s take it: %s", c.StationID, verb, m.what)
		f.Detail = t.text + " " + wayOut(m.code)
		p.find(f)
	}
}

// wayOut is what to do about something that a version cannot say.
func wayOut(code string) string {
	switch code {
	case "RC405":
		return "Use another token, or a station that speaks a later version."
	case "RC407":
		return "Name an EVSE with evse_id, or see whether the station takes it."
	}
	return "Name an EVSE with evse_id."
}

// fitDeclared says that a station is not spoken to as its block says.
func (p *planner) fitDeclared(d *reservation.StationDeclaration) {
	f, last := Finding{Severity: Warning, Address: d.Address, Range: d.Source, StationID: d.ID}, p.lastSpoken(d.ID)
	switch speaks := p.ledger.Speaks; {
	case d.OCPPVersion == "" || d.OCPPVersion == last:
		return
	case last != "":
		f.Code = "RC409"
		f.Summary = fmt.Sprintf("%s is declared to speak OCPP %s, and last spoke %s", d.ID, d.OCPPVersion, last)
		f.Detail = "Correct ocpp_version, or leave it out: what a station speaks is known once it has connected."
	case len(speaks) > 0 && !slices.Contains(speaks, d.OCPPVersion):
		f.Code = "RC408"
		f.Summary = fmt.Sprintf("%s is declared to speak OCPP %s, which this resctl does not", d.ID, d.OCPPVersion)
		f.Detail = fmt.Sprintf("resctl speaks %s. Unless the station does so too it cannot connect, and what is wanted there stays pending.", strings.Join(speaks, ", "))
	default:
		return
	}
	p.find(f)
}
