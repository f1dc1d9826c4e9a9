package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/reservation"
)

// scheduleOf is a schedule block as all instances of its reservation in one
// module see it: what depends on neither each nor count is read once.
type scheduleOf struct {
	scope            // of the block that is repeated
	of      *blockOf // what has been read; a dynamic block makes another for each instance
	fixed   reservation.Schedule
	varying []*hcl.Attribute
	shared  *reservation.Schedule // where nothing varies
	written bool                  // its except_dates stand in the block itself
	bad     bool                  // what is fixed is wrong, and has been reported
}

// schedule reads the schedule of one instance; nil after an error.
func (s *instance) schedule(b *blockOf) *reservation.Schedule {
	c := s.common
	if c.of != b {
		c.read(b, s.key != cty.NilVal)
	}
	if c.bad || len(c.varying) == 0 {
		return c.shared
	}
	v, ok := c.fixed, true
	for _, a := range c.varying {
		ok = s.readSchedule(&v, a) && ok
	}
	if !ok {
		return nil
	}
	shared, wrong := s.share(v, c)
	c.bad = wrong != "" && !slices.ContainsFunc(c.varying, func(a *hcl.Attribute) bool { return a.Name == wrong })
	return shared
}

func (c *scheduleOf) read(b *blockOf, repeated bool) {
	*c = scheduleOf{scope: c.scope, of: b}
	dates := b.attrs["except_dates"]
	c.written = dates != nil && len(dates.Expr.Variables()) == 0
	for _, name := range names(b.attrs) {
		if a := b.attrs[name]; repeated && varies(a.Expr) {
			c.varying = append(c.varying, a)
		} else if !c.readSchedule(&c.fixed, a) {
			c.bad = true
		}
	}
	if !c.bad && len(c.varying) == 0 {
		c.shared, _ = c.share(c.fixed, c)
	}
}

// varies reports whether a value may differ from instance to instance.
func varies(e hcl.Expression) bool {
	return slices.ContainsFunc(e.Variables(), func(t hcl.Traversal) bool { return t.RootName() == "each" || t.RootName() == "count" })
}

// readSchedule reads one attribute; null counts as not given where that is
// possible. False: something is wrong, and has been reported.
func (s *scope) readSchedule(v *reservation.Schedule, a *hcl.Attribute) bool {
	before, given := s.l.diags.Errors(), true
	text := func(into *string, required bool) {
		*into = s.filled(a, required)
		given = *into != ""
	}
	switch a.Name {
	case "time_zone":
		text(&v.TimeZone, true)
	case "days":
		v.Days, given = s.words(a, "MO")
	case "rrule":
		text(&v.RRule, false)
	case "start_date":
		text(&v.StartDate, false)
	case "start_time":
		text(&v.StartTime, true)
	case "end_time":
		text(&v.EndTime, true)
	case "except_dates":
		v.ExceptDates, given = s.words(a, "2026-12-25")
	}
	return s.l.diags.Errors() == before && (given || !s.unknown(a))
}

// unknown reports whether a value follows from something that was wrong, and
// has been reported there: a variable without a value, for instance.
func (s *scope) unknown(a *hcl.Attribute) bool {
	v, _ := a.Expr.Value(s.ctx)
	return !v.IsKnown()
}

// filled reads text that is not null where it is required, and not empty where
// null says that there is none.
func (s *scope) filled(a *hcl.Attribute, required bool) string {
	read := s.value
	if required {
		read = s.need
	}
	v, _, ok := read(a)
	if !ok {
		return ""
	}
	if v, ok = s.primitive(v, cty.String, a.Name, a.Expr); !ok {
		return ""
	}
	if v.AsString() == "" && !required {
		s.wrong(codeSchedule, "Invalid schedule", a.Name+" is empty. Write null, or leave it out, if there is none.", a.Expr)
	}
	return v.AsString()
}

// share compiles a schedule, once for all that are equal. wrong is the attribute
// that is at fault if that is not possible.
func (s *scope) share(v reservation.Schedule, c *scheduleOf) (shared *reservation.Schedule, wrong string) {
	shared, err := s.l.schedules.Share(v)
	var e *reservation.ScheduleError
	if errors.As(err, &e) {
		s.badSchedule(e, v, c.of)
		return nil, e.Attribute
	}
	if c.written {
		if dates := s.l.uselessExceptions(shared); len(dates) > 0 {
			s.l.warn(problem{code: codeException, summary: "Exception without effect", subject: c.of.attrs["except_dates"].Expr.Range().Ptr(), address: s.address,
				detail: fmt.Sprintf("Nothing starts on %s anyway. except_dates are the local dates on which windows start, not those on which they end.", list(dates))})
		}
	}
	return shared, ""
}

func (s *scope) badSchedule(e *reservation.ScheduleError, v reservation.Schedule, b *blockOf) {
	p := problem{code: codeSchedule, summary: "Invalid schedule", subject: b.DefRange.Ptr(), address: s.address}
	what, remedy := e.Problem, e.Remedy
	if e.Attribute == "time_zone" && !strings.HasPrefix(remedy, "Did") {
		remedy = strings.TrimSpace(didYouMean(v.TimeZone, reservation.TimeZones()) + " " + remedy)
	}
	if a := b.attrs[e.Attribute]; a != nil {
		p.subject, p.expr, p.ctx = a.Expr.Range().Ptr(), a.Expr, s.ctx
		if value, _ := a.Expr.Value(s.ctx); value.ContainsMarked() { // what is wrong quotes it
			what, remedy = "it cannot be used; why is not shown, because it is sensitive", ""
		}
	}
	const most = 300 // runes of what may quote a value of any length
	if r := []rune(what); len(r) > most {
		what = string(r[:most]) + "…"
	}
	p.detail = strings.TrimSpace(fmt.Sprintf("%s: %s. %s", e.Attribute, what, remedy))
	s.l.err(p)
}

// uselessExceptions are those dates of a schedule on which nothing would start
// anyway. One asks only for what is written in the block itself: of a list that
// several schedules have, not every date is for each.
func (l *loader) uselessExceptions(v *reservation.Schedule) []string {
	if dates, known := l.useless[v]; known {
		return dates
	}
	all := *v
	all.ExceptDates = nil
	shared, err := l.schedules.Share(all)
	if err != nil {
		return nil // v has been compiled: so can this be
	}
	r, err := shared.Compile()
	if err != nil {
		return nil
	}
	l.useless[v] = slices.DeleteFunc(slices.Clone(v.ExceptDates), func(date string) bool { return startsOn(r, v.StartTime, date) })
	return l.useless[v]
}

// startsOn reports whether a window starts on a local date, or would if a
// change of the clocks did not leave it empty; of dates that are past all
// stations' clocks it does not ask.
func startsOn(r *reservation.Recurrence, startTime, date string) bool {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil || !day.Before(endOfTime) {
		return err == nil
	}
	from, to := day.AddDate(0, 0, -2), day.AddDate(0, 0, 3)
	for x := range r.Skipped(from, to) {
		if x.Date == date {
			return true
		}
	}
	for w := range r.Between(from, to) {
		local := w.Start.In(r.Location())
		if local.Format(time.TimeOnly) < startTime { // a gap has moved it over midnight
			local = local.AddDate(0, 0, -1)
		}
		if local.Format(time.DateOnly) == date {
			return true
		}
	}
	return false
}
