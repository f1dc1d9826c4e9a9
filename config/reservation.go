package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reservation"
)

// readReservations reads those of a directory, block by block, for each module
// that is made of it.
func (l *loader) readReservations(d *directory) {
	first := map[string]hcl.Range{}
	for _, raw := range d.blocks["reservation"] {
		if !l.checkLabel(raw) {
			continue
		}
		if at, ok := first[raw.Labels[0]]; ok {
			l.duplicate(address(raw), raw.DefRange, at)
			continue
		}
		first[raw.Labels[0]] = raw.DefRange
		before := l.diags.Errors()
		b := l.openBlock(raw, reservationSchema)
		if l.diags.Errors() > before || !l.whenGiven(b) {
			continue
		}
		for _, m := range d.modules {
			m.reserve(b)
		}
	}
}

func (m *module) reserve(b *blockOf) {
	common := &scheduleOf{scope: scope{m.loader, m.whole, m.prefix + address(b.Block)}}
	m.expand(b, m.whole, func(in *instance) {
		in.common = common
		before := m.diags.Errors()
		b, ok := in.opened(b)
		if !ok {
			return
		}
		if d := in.reservation(b); m.diags.Errors() == before {
			m.cfg.Reservations = append(m.cfg.Reservations, d)
			m.cfg.ranges[d.Address] = &b.DefRange
		}
	})
}

// whenGiven checks, before anything is evaluated, that some form of when is there.
func (l *loader) whenGiven(b *blockOf) bool {
	if b.dynamic || b.nested["schedule"] != nil || b.nested["window"] != nil || b.attrs["expiry_date_time"] != nil || b.attrs["hold_for"] != nil {
		return true
	}
	l.err(problem{code: codeWhen, summary: "No window", subject: b.DefRange.Ptr(), address: address(b.Block),
		detail: `A reservation says when: write a schedule or window block, expiry_date_time = "…" or hold_for = "8h".`})
	return false
}

// reservation reads one instance; each attribute is evaluated once.
func (s *instance) reservation(b *blockOf) reservation.Declaration {
	s.preconditions(b.nested["lifecycle"])
	d := reservation.Declaration{Address: s.address, Workspace: s.l.cfg.Workspace, Source: b.source}
	var known *declaredStation
	d.StationID, known = s.stationOf(b.attrs["station"])
	version := ""
	if known != nil {
		version = known.OCPPVersion
	}
	d.Target = s.target(b, known, version)
	d.IDToken, _ = s.token(b.attrs["id_token"], version)
	if group, ok := s.token(b.attrs["group_id_token"], version); ok {
		d.GroupIDToken = &group
	}
	d.When = s.when(b)
	d.Activation = s.activation(b.nested["activation"])
	d.Lifecycle = s.lifecycle(b.nested["lifecycle"])
	return d
}

// stationOf reads the station: the object of a station block, or an identity.
func (s *scope) stationOf(a *hcl.Attribute) (string, *declaredStation) {
	v, marked, ok := s.need(a)
	if !ok {
		return "", nil
	}
	fromBlock := false
	if t := v.Type(); t.IsObjectType() && t.HasAttribute("id") {
		fromBlock = true
		var inner bool
		if v, inner, ok = s.known(v.GetAttr("id"), a.Expr); !ok {
			return "", nil
		}
		marked = marked || inner
	}
	if v.Type() != cty.String {
		hint := ""
		if t := v.Type(); t.IsMapType() || t.IsListType() {
			hint = ` This block has many instances: name one, such as station.x["key"].`
		}
		s.wrong(codeValue, "Unsuitable value", fmt.Sprintf("station must be a station block, such as station.depot_a_01, or an identity, not %s.%s", diag.Article(v.Type()), hint), a.Expr)
		return "", nil
	}
	if marked {
		s.wrong(codeSensitive, "Sensitive station", "station is sensitive, but identities are shown everywhere. Write nonsensitive(…) if it is no secret.", a.Expr)
		return "", nil
	}
	return s.identity(v.AsString(), fromBlock, a)
}

func (s *scope) identity(id string, fromBlock bool, a *hcl.Attribute) (string, *declaredStation) {
	if known := s.l.byID[id]; known != nil {
		return id, known
	}
	if msg := CheckIdentity(id); msg != "" {
		s.wrong(codeIdentity, "Invalid station identity", fmt.Sprintf("The OCPP identity %q cannot be used: %s.", id, msg), a.Expr)
		return "", nil
	}
	like := s.l.resembling(id)
	if n := s.l.directoryOf(a.Range).named["station"][id]; n != nil && !fromBlock {
		like = "station." + n.name
	}
	if like != "" {
		p := problem{code: codeStationTypo, summary: "Station identity looks misspelt", subject: a.Expr.Range().Ptr(), address: s.address, expr: a.Expr, ctx: s.ctx,
			detail: fmt.Sprintf("No station block declares %q, but there is %s. If that one is meant, refer to the block; if another workspace declares %[1]q, all is well.", id, like)}
		s.l.warn(p)
	}
	return id, nil
}

// target reads what is reserved: an EVSE, or a connector type, or neither for any.
func (s *scope) target(b *blockOf, known *declaredStation, version string) (t reservation.Target) {
	evse, conn := b.attrs["evse_id"], b.attrs["connector_type"]
	if evse != nil {
		t.EVSE, _ = s.whole(evse, codeTarget, 1, 1<<31-1)
	}
	ok := false
	if conn != nil {
		t.ConnectorType, ok = s.text(conn)
	}
	if t.EVSE != 0 && known != nil && !known.has(t.EVSE) {
		s.wrong(codeTarget, "No such EVSE", fmt.Sprintf("evse_id is %d, but %s (%s) declares the EVSEs %s only.", t.EVSE, known.Address, known.ID, list(known.evses)), evse.Expr)
	}
	switch {
	case !ok:
	case t.EVSE != 0:
		s.wrong(codeTarget, "Both evse_id and connector_type", "Name one EVSE by evse_id, or any EVSE with a connector type, not both: an EVSE's connectors are reserved together.", conn.Expr)
	case version == "1.6":
		s.wrong(codeTarget, "No connector types in OCPP 1.6", fmt.Sprintf("%s speaks OCPP 1.6, which cannot reserve by connector type. Use evse_id.", known.Address), conn.Expr)
	case s.connector(t.ConnectorType, "connector_type", version, conn.Expr) && known != nil && known.types != nil && !known.types[t.ConnectorType]:
		s.wrong(codeTarget, "No such connector", fmt.Sprintf("No EVSE of %s (%s) has the connector type %s; it declares %s.", known.Address, known.ID, t.ConnectorType, list(names(known.types))), conn.Expr)
	}
	return t
}

// when reads the one form that is given; null counts as not given.
func (s *instance) when(b *blockOf) (w reservation.When) {
	forms := 0
	before := s.l.diags.Errors()
	if n := b.nested["schedule"]; n != nil {
		forms++
		w.Schedule = s.schedule(n)
	}
	if n := b.nested["window"]; n != nil {
		forms++
		w.Start, w.Expiry = s.window(n)
	}
	if a := b.attrs["expiry_date_time"]; a != nil {
		if t, ok := s.instant(a); ok {
			forms++
			w.Expiry = t
		}
	}
	if a := b.attrs["hold_for"]; a != nil {
		if d, ok := s.duration(a, time.Second); ok {
			forms++
			w.HoldFor = reservation.Duration(d)
		}
	}
	if forms != 1 && s.l.diags.Errors() == before && (forms > 1 || !s.l.diags.HasErrors()) {
		s.l.err(problem{code: codeWhen, summary: "When is not said exactly once", subject: b.DefRange.Ptr(), address: s.address,
			detail: "A reservation has exactly one of a schedule block, a window block, expiry_date_time and hold_for."})
	}
	return w
}

func (s *scope) window(b *blockOf) (start, end time.Time) {
	from, to := b.attrs["start_date_time"], b.attrs["expiry_date_time"]
	if from == nil || to == nil {
		return // reported
	}
	before := s.l.diags.Errors()
	start, ok1 := s.instant(from)
	end, ok2 := s.instant(to)
	switch {
	case !ok1 || !ok2:
		if s.l.diags.Errors() == before && !s.l.diags.HasErrors() {
			s.wrong(codeWhen, "Incomplete window", "start_date_time and expiry_date_time must not be null.", from.Expr)
		}
	case !start.Before(end):
		s.wrong(codeWindow, "Empty window", "expiry_date_time must be later than start_date_time.", to.Expr)
	}
	return start, end
}

func (s *scope) activation(b *blockOf) (a reservation.Activation) {
	if b == nil {
		return a
	}
	if x := b.attrs["lead_time"]; x != nil {
		d, _ := s.duration(x, 0)
		a.LeadTime = reservation.Duration(d)
	}
	if x := b.attrs["no_show_after"]; x != nil {
		d, _ := s.duration(x, time.Second)
		a.NoShowAfter = reservation.Duration(d)
	}
	return a
}

// lifecycle stores defaults as zero, so that writing a default changes nothing.
func (s *scope) lifecycle(b *blockOf) (c reservation.Lifecycle) {
	if b == nil {
		return c
	}
	if a := b.attrs["prevent_cancel"]; a != nil {
		c.PreventCancel, _ = s.boolean(a)
	}
	if a := b.attrs["on_removed"]; a != nil {
		if v, _ := s.choice(a, reservation.ReserveAgain, reservation.Report); v != reservation.ReserveAgain {
			c.OnRemoved = v
		}
	}
	if a := b.attrs["on_used"]; a != nil {
		if v, _ := s.choice(a, reservation.Done, reservation.HoldAgain); v != reservation.Done {
			c.OnUsed = v
		}
	}
	return c
}

// version in words, for messages about what a version allows.
func versionName(v string) string {
	if v == "" {
		return "OCPP"
	}
	return "OCPP " + strings.TrimSpace(v)
}
