package main

import (
	"bufio"
	"encoding/json"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reconcile"
	"github.com/resctl/resctl/reservation"
)

// formatVersion is of the documents and lines written here. Within one major
// version names are only added.
const formatVersion = "1.0"

// jsonView writes for programs: one document, or, for apply, a stream of
// lines. Either way everything goes to out, and tokens are masked.
type jsonView struct {
	out    *bufio.Writer
	done   func() error // of a file: closes or replaces it
	path   string       // of that file
	stream bool
	began  bool // of a stream: the first line is out
	secret []byte
	diags  []diag.JSONDiagnostic // of a document: until it is written
	wrote  bool
	err    error
}

var _ view = (*jsonView)(nil)

// line writes one value of a stream.
func (v *jsonView) line(x any) {
	v.begin(time.Time{})
	v.encode(x)
	v.keep(v.out.Flush())
}

// begin writes the first line of a stream, once.
func (v *jsonView) begin(journal time.Time) {
	if !v.began {
		v.began = true
		v.encode(versionLine{"version", formatVersion, version, reservation.EventVersion, journal})
	}
}

// The lines of a stream: each says first what it is.
type (
	// versionLine is the first line.
	versionLine struct {
		Type          string `json:"type"`
		FormatVersion string `json:"format_version"`
		Resctl        string `json:"resctl"`        // the version that writes this
		EventVersion  int    `json:"event_version"` // of the lines of the journal
		// JournalBegins is missing where the whole journal is there.
		JournalBegins time.Time `json:"journal_begins,omitzero"` // what was recorded before is cut
	}
	// plannedLine is the plan, before anything is stored.
	plannedLine struct {
		Type string   `json:"type"`
		Plan jsonPlan `json:"plan"` // before anything is stored
	}
	// diagnosticLine is something that is wrong.
	diagnosticLine struct {
		Type       string              `json:"type"`
		Diagnostic diag.JSONDiagnostic `json:"diagnostic"` // what is wrong
	}
	// eventLine is a line of the journal.
	eventLine struct {
		Type  string            `json:"type"`
		Event reservation.Event `json:"event"` // a line of the journal
	}
	// progressLine says how far following has come.
	progressLine struct {
		Type        string `json:"type"`
		Settled     int    `json:"settled"`               // reservations that are as wanted, or have ended
		Of          int    `json:"of"`                    // how many there were to settle
		Interrupted bool   `json:"interrupted,omitempty"` // Ctrl-C came: nothing new is begun
	}
	// outcomeLine is the last line of an apply.
	outcomeLine struct {
		Type string `json:"type"`
		outcome
	}
)

func (v *jsonView) encode(x any) {
	e := json.NewEncoder(v.out)
	e.SetEscapeHTML(false)
	v.keep(e.Encode(x))
}

func (v *jsonView) keep(err error) {
	if v.err == nil {
		v.err = err
	}
}

// document writes the one document of a command.
func (v *jsonView) document(x any) {
	v.encode(x)
	v.wrote = true
}

// failure is what a command writes that came to no document.
type failure struct {
	FormatVersion string                `json:"format_version"`
	Diagnostics   []diag.JSONDiagnostic `json:"diagnostics"`
}

// Close writes the diagnostics of a command that came to no document.
func (v *jsonView) Close() error {
	if !v.stream && !v.wrote && len(v.diags) > 0 {
		v.document(failure{formatVersion, v.diags})
	}
	v.keep(v.out.Flush())
	if v.done != nil {
		v.keep(v.done())
	}
	if v.err != nil && v.path != "" {
		return intoProblem(v.path, v.err)
	}
	return v.err
}

// Diagnostics are lines of a stream, or part of the document that follows.
func (v *jsonView) Diagnostics(ds *diag.Diagnostics) {
	all := ds.JSON()
	if !v.stream {
		v.diags = append(v.diags, all...)
		return
	}
	for i := range all {
		v.line(diagnosticLine{"diagnostic", all[i]})
	}
}

// jsonPlan is a plan as a document.
type jsonPlan struct {
	*reconcile.Plan
	Simulated   bool                  `json:"simulated,omitempty"`
	Frozen      *reservation.Halt     `json:"frozen,omitempty"`
	Watch       *api.Watch            `json:"watch,omitempty"` // with --held: the directory
	Diagnostics []diag.JSONDiagnostic `json:"diagnostics"`
}

// Plan writes a plan, with its tokens masked unless they were asked for.
func (v *jsonView) Plan(p *planned) {
	v.secret = p.secret
	j := jsonPlan{Plan: p.Plan, Watch: p.waits, Diagnostics: []diag.JSONDiagnostic{}}
	if !p.whole {
		j.Plan = p.Masked(p.secret)
	}
	if p.frozen != nil {
		j.Frozen = &p.frozen.Halt
	}
	if p.first {
		shown := *j.Plan
		shown.Digest = ""
		j.Plan = &shown
	}
	if v.stream {
		v.line(plannedLine{"plan", j})
		return
	}
	j.Diagnostics = append(j.Diagnostics, v.diags...)
	v.document(j)
}

// jsonState is a state as a document.
type jsonState struct {
	FormatVersion string                   `json:"format_version"`
	Lineage       string                   `json:"lineage"`
	Simulated     bool                     `json:"simulated"`
	Workspaces    map[string]jsonWorkspace `json:"workspaces"`
	Reservations  []jsonReservation        `json:"reservations"`
	Foreign       []reconcile.Foreign      `json:"foreign"`
	Stations      []jsonStation            `json:"stations"`
}

// jsonWorkspace is what a state knows of a workspace.
type jsonWorkspace struct {
	Serial int64             `json:"serial"`           // counts its proposals
	Frozen *reservation.Halt `json:"frozen,omitempty"` // a freeze that stands, also one of all workspaces
}

// jsonReservation is an address, and where it stands.
type jsonReservation struct {
	Address       string             `json:"address"`
	Workspace     string             `json:"workspace"`
	StationID     string             `json:"station_id"`
	EVSE          int                `json:"evse_id,omitempty"`
	ConnectorType string             `json:"connector_type,omitempty"`
	ReservationID int32              `json:"reservation_id,omitempty"`
	Phase         reservation.Phase  `json:"phase"`
	Reason        reservation.Reason `json:"reason,omitempty"`
	Held          bool               `json:"held"`
	Wanted        bool               `json:"wanted"`
	Window        reservation.Window `json:"window"`
	Since         time.Time          `json:"since"`
}

// jsonStation is what is known of a station.
type jsonStation struct {
	ID          string            `json:"id"`
	Connected   bool              `json:"connected"`
	Protocol    string            `json:"protocol,omitempty"`
	Vendor      string            `json:"vendor,omitempty"`
	Model       string            `json:"model,omitempty"`
	Serial      string            `json:"serial_number,omitempty"`
	Firmware    string            `json:"firmware,omitempty"`
	ConnectedAt time.Time         `json:"connected_at,omitzero"`
	OfflineAt   time.Time         `json:"offline_at,omitzero"`
	Paused      *reservation.Halt `json:"paused,omitempty"`
}

// State writes what is stored.
func (v *jsonView) State(s *stored) { v.document(newJSONState(s)) }

// newJSONState is a state as a document. Entries hold no tokens.
func newJSONState(s *stored) jsonState {
	j := jsonState{FormatVersion: formatVersion, Lineage: s.Meta.Lineage, Workspaces: map[string]jsonWorkspace{},
		Simulated:    s.Meta.Simulated != nil && *s.Meta.Simulated,
		Reservations: make([]jsonReservation, 0, len(s.Entries)), Foreign: append([]reconcile.Foreign{}, s.Foreign...), Stations: make([]jsonStation, 0, len(s.Stations))}
	for name := range s.Meta.Serials {
		j.Workspaces[name] = newJSONWorkspace(s.Meta, name, s.at)
	}
	for i := range s.Entries {
		e := &s.Entries[i]
		j.Reservations = append(j.Reservations, jsonReservation{e.Address, e.Workspace, e.StationID, e.Target.EVSE,
			e.Target.ConnectorType, e.ID, phaseNow(e, clock{now: s.at}), e.Reason, e.HeldNow(), e.Wanted(), e.Window, e.Since})
	}
	for i := range s.Stations {
		x := &s.Stations[i]
		j.Stations = append(j.Stations, newJSONStation(x, s.at))
	}
	return j
}

// newJSONStation shows a pause only while it stands.
func newJSONStation(x *reservation.Station, now time.Time) jsonStation {
	var paused *reservation.Halt
	if x.Paused.Stands(now) {
		paused = x.Paused
	}
	return jsonStation{x.ID, x.Online(), x.Protocol, harmless(x.Vendor), harmless(x.Model),
		harmless(x.Serial), harmless(x.Firmware), x.ConnectedAt, x.OfflineAt, paused}
}

// newJSONWorkspace shows a freeze only while it stands, also one of all.
func newJSONWorkspace(m reservation.Meta, name string, now time.Time) jsonWorkspace {
	w := jsonWorkspace{Serial: m.Serials[name]}
	if by := m.FrozenBy(name, now); by != nil {
		w.Frozen = &by.Halt
	}
	return w
}

// Event writes a line of the journal as it is, but for tokens and passwords.
func (v *jsonView) Event(e reservation.Event) {
	v.line(eventLine{"event", e.Masked(v.secret)})
}

// Progress writes how far following has come.
func (v *jsonView) Progress(p progress) {
	v.line(progressLine{"progress", p.settled, p.of, p.interrupted})
}

// Outcome is the last line of a stream.
func (v *jsonView) Outcome(o *outcome) {
	if o.Unsettled == nil {
		o.Unsettled = []reconcile.Outstanding{}
	}
	v.line(outcomeLine{"summary", *o})
}

// About writes a value as its own document; the journal is a stream.
func (v *jsonView) About(x any) {
	switch x := x.(type) {
	case validation:
		x.Diagnostics = append(x.Diagnostics, v.diags...)
		v.document(x)
	case *journal:
		v.stream, v.secret = true, x.secret
		v.begin(x.begins)
	case journalLine:
		v.line(eventLine{"event", x.Event})
	default:
		v.document(x)
	}
}
