// Package reservation holds the words of resctl (declaration, occurrence,
// book, event) and the fold that turns events into books. It knows nothing of
// OCPP frames, SQL, HCL or clocks: every function that needs the time is given
// it. A type enters only if two rooms use it and an operator would say its name.
package reservation

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"strings"
	"time"
)

// Token identifies a driver or a group of drivers (OCPP 2.0.1 IdTokenType). It
// is personal data: String and LogValue mask it, while JSON, which is what
// storage uses, holds the whole of it.
type Token struct {
	IDToken        string           `json:"id_token"`
	Type           string           `json:"type"`
	AdditionalInfo []AdditionalInfo `json:"additional_info,omitempty"`
}

// AdditionalInfo is a further identifier beside a token (OCPP 2.0.1 AdditionalInfoType).
type AdditionalInfo struct {
	AdditionalIDToken string `json:"additional_id_token"` // its characters
	Type              string `json:"type"`                // of which kind it is, as agreed on site
}

// String masks the token.
func (t Token) String() string { return "(token)" }

// LogValue masks the token in structured logs.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// Same reports whether two tokens name the same driver. OCPP identifier strings
// compare without case, and stations report a type other than the one reserved,
// so the type does not count.
func (t Token) Same(o Token) bool {
	return t.IDToken != "" && strings.EqualFold(t.IDToken, o.IDToken)
}

// Equal reports whether two tokens would be sent as the same bytes.
func (t Token) Equal(o Token) bool {
	if t.IDToken != o.IDToken || t.Type != o.Type || len(t.AdditionalInfo) != len(o.AdditionalInfo) {
		return false
	}
	for i := range t.AdditionalInfo {
		if t.AdditionalInfo[i] != o.AdditionalInfo[i] {
			return false
		}
	}
	return true
}

// Target is what a reservation holds: one EVSE, or any EVSE with a connector
// type, or (the zero Target) any EVSE of the station.
type Target struct {
	EVSE          int    `json:"evse_id,omitempty"`
	ConnectorType string `json:"connector_type,omitempty"`
}

// Named reports whether the target is one EVSE, whose status can be watched.
func (t Target) Named() bool { return t.EVSE != 0 }

// Content is everything a ReserveNow request says apart from its id.
type Content struct {
	Target
	IDToken      Token     `json:"id_token"`
	GroupIDToken *Token    `json:"group_id_token,omitempty"`
	Expiry       time.Time `json:"expiry"` // until when
}

// Equal reports whether two contents would be sent as the same request.
func (c Content) Equal(o Content) bool {
	if c.Target != o.Target || !c.IDToken.Equal(o.IDToken) || !c.Expiry.Equal(o.Expiry) {
		return false
	}
	if c.GroupIDToken == nil || o.GroupIDToken == nil {
		return c.GroupIDToken == o.GroupIDToken
	}
	return c.GroupIDToken.Equal(*o.GroupIDToken)
}

// Duration is a time.Duration that is stored and shown as Go writes it ("1h30m0s").
type Duration time.Duration

// MarshalText writes the duration as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// When says when a declaration wants its reservation; exactly one form is set.
type When struct {
	// Start is where a window begins, which is half-open: [Start, Expiry). With
	// a bare expiry_date_time it is zero: it begins with the transaction that
	// first stores it.
	Start  time.Time `json:"start,omitzero"`
	Expiry time.Time `json:"expiry,omitzero"`
	// HoldFor is the length of a window that begins when it is first stored.
	HoldFor Duration `json:"hold_for,omitempty"`
	// Schedule is a recurrence: one window after the other.
	Schedule *Schedule `json:"schedule,omitempty"`
}

// Equal reports whether two forms say the same.
func (w When) Equal(o When) bool {
	a, b := w.Schedule, o.Schedule
	w.Schedule, o.Schedule = nil, nil
	return w == o && (a == b || a != nil && b != nil && a.Key() == b.Key())
}

// Window is [Start, Expiry) in UTC.
type Window struct {
	Start  time.Time `json:"start"`
	Expiry time.Time `json:"expiry"`
}

// Overlaps reports whether two half-open windows share an instant.
func (w Window) Overlaps(o Window) bool {
	return w.Start.Before(o.Expiry) && o.Start.Before(w.Expiry)
}

// Window resolves the form against the moment the declaration was first stored.
// Of a schedule it is the window that is open then or the next one; the zero
// Window if there is none any more. Times are cut to whole seconds: some
// stations read no fractions.
func (w When) Window(stored time.Time) Window {
	if w.Schedule != nil {
		return w.After(stored.Add(-maxWindow), stored)
	}
	start := w.Start
	if start.IsZero() {
		start = stored.UTC().Truncate(time.Second)
	}
	if w.HoldFor != 0 {
		return Window{start, start.Add(time.Duration(w.HoldFor))}
	}
	return Window{start, w.Expiry}
}

// After gives the first window of a schedule that starts after start and has not
// ended at the given time; the zero Window: there is none, or it is no schedule.
func (w When) After(start, now time.Time) Window {
	if w.Schedule == nil {
		return Window{}
	}
	from := start.Add(time.Second) // starts are whole seconds
	if now.After(from) {
		from = now
	}
	r, err := w.Schedule.Compile()
	if err != nil { // it was compiled before it was stored; this machine does not know its zone
		return Window{}
	}
	for next := range r.Between(from, lastDate.midnight()) {
		if next.Start.After(start) {
			return next
		}
	}
	return Window{}
}

// maxWindow is more than a window of a schedule can last.
const maxWindow = 4 * 24 * time.Hour

// Activation is when a reservation is asked for and when it is given up.
type Activation struct {
	LeadTime    Duration `json:"lead_time,omitempty"`     // asked this long before the start
	NoShowAfter Duration `json:"no_show_after,omitempty"` // released this long after the start; 0: never
}

// What becomes of a reservation that its station dropped or its driver used.
const (
	ReserveAgain = "reserve_again" // on_removed, the default
	Report       = "report"        // on_removed
	Done         = "done"          // on_used, the default
	HoldAgain    = "hold_again"    // on_used
)

// Lifecycle is the policy of a declaration; the zero value is the default.
type Lifecycle struct {
	PreventCancel bool   `json:"prevent_cancel,omitempty"`
	OnRemoved     string `json:"on_removed,omitempty"`
	OnUsed        string `json:"on_used,omitempty"`
}

// Declaration is one instance of a reservation block. Its JSON is stored, is
// part of plan files, and is what its hash is taken over.
type Declaration struct {
	Address   string `json:"address"`
	Workspace string `json:"workspace"`
	StationID string `json:"station_id"`
	Target
	IDToken      Token      `json:"id_token"`
	GroupIDToken *Token     `json:"group_id_token,omitempty"`
	When         When       `json:"when"`
	Activation   Activation `json:"activation,omitzero"`
	Lifecycle    Lifecycle  `json:"lifecycle,omitzero"`
	// Source is where the declaration stands, "fleet.hcl:41"; it is kept so
	// that a later plan can say where a deleted one was. Not part of the hash.
	Source string `json:"source,omitempty"`
}

// Content is what the declaration asks of the station, for a window.
func (d Declaration) Content(w Window) Content {
	return Content{Target: d.Target, IDToken: d.IDToken, GroupIDToken: d.GroupIDToken, Expiry: w.Expiry}
}

// Hash is over all that is declared, and nothing else.
func (d Declaration) Hash() string {
	d.Source = ""
	return hash(d)
}

// StationDeclaration is one station block.
type StationDeclaration struct {
	Address       string `json:"address"` // such as station.depot_a_01
	Workspace     string `json:"workspace"`
	ID            string `json:"id"`                      // OCPP identity
	OCPPVersion   string `json:"ocpp_version,omitempty"`  // what it speaks
	SerialNumber  string `json:"serial_number,omitempty"` // what it says when it boots
	PasswordSalt  string `json:"password_salt,omitempty"` // random, in hexadecimal
	PasswordHash  string `json:"password_hash,omitempty"` // hex SHA-256 of salt + password
	EVSEs         []EVSE `json:"evses,omitempty"`         // those that it has
	ClearPassword string `json:"-"`                       // from the configuration until it is salted; never stored
	Source        string `json:"source,omitempty"`        // file:line of the block
}

// EVSE is a declared EVSE and the connectors it has.
type EVSE struct {
	ID             int      `json:"id"` // its number
	ConnectorTypes []string `json:"connector_types,omitempty"`
}

// Hash is over all that is declared but the password, which is compared by
// CheckPassword because its salt differs every time.
func (s StationDeclaration) Hash() string {
	s.Source, s.PasswordSalt, s.PasswordHash = "", "", ""
	return hash(s)
}

// TokenDeclaration is one instance of a token block: a driver who may charge
// though nothing is reserved, where resctl is the CSMS.
type TokenDeclaration struct {
	Address      string `json:"address"` // token.pool_card
	Workspace    string `json:"workspace"`
	IDToken      Token  `json:"id_token"`
	GroupIDToken *Token `json:"group_id_token,omitempty"`
	Source       string `json:"source,omitempty"` // "fleet.hcl:41"; not part of the hash
}

// Hash is over all that is declared, and nothing else.
func (t TokenDeclaration) Hash() string {
	t.Source = ""
	return hash(t)
}

func hash(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("reservation: hash: " + err.Error()) // only plain structs come here
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
