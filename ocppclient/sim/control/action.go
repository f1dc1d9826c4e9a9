package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/v201"
)

// action lets something happen at a station, as a request's body says.
type action func(ctx context.Context, s *sim.Client, body []byte) error

func actions() map[string]action {
	return map[string]action{
		"remove":      with(remove),
		"expire":      with(expire),
		"use":         with(use),
		"plug":        with(plug),
		"unplug":      atEVSE((*sim.Machine).Unplug),
		"fault":       atEVSE((*sim.Machine).Fault),
		"clear":       atEVSE((*sim.Machine).Clear),
		"unavailable": atEVSE((*sim.Machine).SetUnavailable),
		"reboot":      with(reboot),
		"disconnect":  with(disconnect),
		"connect":     with(connect),
		"answer":      with(answer),
		"delay":       with(delay),
		"skew":        with(skew),
	}
}

func actionNames() string { return strings.Join(slices.Sorted(maps.Keys(actions())), ", ") }

// with reads the body: an object with known keys, or nothing.
func with[B any](do func(context.Context, *sim.Client, B) error) action {
	return func(ctx context.Context, s *sim.Client, body []byte) error {
		var b B
		if len(bytes.TrimSpace(body)) == 0 {
			return do(ctx, s, b)
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&b); err != nil {
			return unreadable(err)
		}
		if _, err := d.Token(); !errors.Is(err, io.EOF) {
			return wrong("body: something follows the JSON object")
		}
		return do(ctx, s, b)
	}
}

func unreadable(err error) error {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return refuse(http.StatusRequestEntityTooLarge, "too_large", "body: longer than %d bytes", long.Limit)
	}
	var own *refusal
	if errors.As(err, &own) {
		return own
	}
	return wrong("body: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// duration is written as in 1m30s.
type duration time.Duration

func (d *duration) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return wrong("body: %s: want a duration such as \"1m30s\"", b)
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return wrong("body: %q: want a duration such as \"1m30s\"", text)
	}
	*d = duration(v)
	return nil
}

// upTo refuses what is negative or longer than that.
func (d duration) upTo(name string, most time.Duration) (time.Duration, error) {
	if v := time.Duration(d); v >= 0 && v <= most {
		return v, nil
	}
	return 0, wrong("%s: want 0s to %s", name, most)
}

// driver is the token of who is at the station.
func (t *token) driver() (v201.IdToken, error) {
	card := v201.IdToken{IDToken: t.IDToken, Type: t.Type}
	if card.Type == "" {
		card.Type = v201.Central
	}
	if err := card.Validate(); err != nil {
		return card, wrong("id_token: %s", err)
	}
	return card, nil
}

// happen does something at the station. An error of it goes to who asked.
func happen(s *sim.Client, do func(m *sim.Machine, now time.Time) ([]sim.Message, error)) error {
	var no error
	err := s.Do(func(m *sim.Machine, now time.Time) (messages []sim.Message) {
		messages, no = do(m, now)
		return messages
	})
	return errors.Join(no, err)
}
