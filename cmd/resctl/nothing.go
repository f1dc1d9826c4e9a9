package main

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"time"

	"github.com/resctl/resctl/reservation"
)

// nothing is the state before there is one: plans can be made of it. Its
// secret is random, so that fingerprints tell nothing; digests mean nothing.
type nothing struct{ secret []byte }

var errNothing = errors.New("there is no state yet")

func newNothing() nothing {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return nothing{secret}
}

func (n nothing) Meta(context.Context) (reservation.Meta, error) {
	return reservation.Meta{Secret: n.secret}, nil
}

func (nothing) Book(_ context.Context, station string, _ time.Time) (*reservation.Book, error) {
	return reservation.NewBook(station), nil
}

func (nothing) Append(context.Context, ...reservation.Event) ([]reservation.Event, error) {
	return nil, errNothing
}

func (nothing) Update(context.Context, reservation.Changeset) ([]reservation.Event, error) {
	return nil, errNothing
}

func (nothing) Entries(context.Context, string) ([]reservation.Entry, error) { return nil, nil }

func (nothing) Wanted(context.Context, string, ...string) ([]reservation.Wanted, error) {
	return nil, nil
}

func (nothing) Stations(context.Context) ([]reservation.Station, error) { return nil, nil }

func (nothing) StationDeclarations(context.Context, string) ([]reservation.StationDeclaration, error) {
	return nil, nil
}

func (nothing) TokenDeclarations(context.Context, string) ([]reservation.TokenDeclaration, error) {
	return nil, nil
}

func (nothing) Over(context.Context, ...string) ([]reservation.Placed, error) {
	return nil, nil
}

func (nothing) Events(context.Context, int64) iter.Seq2[reservation.Event, error] {
	return func(func(reservation.Event, error) bool) {}
}

func (nothing) Wake(string) (<-chan struct{}, func()) { return make(chan struct{}), func() {} }
