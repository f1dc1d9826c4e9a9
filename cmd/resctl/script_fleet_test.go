package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/reservation"
)

// testFleet are the stations that a state knows, as apply --simulate has them,
// but in another process than the one that serves them.
type testFleet struct {
	state    string // whose stations they are
	url      string // where they connect
	memories string // directory

	cancel  context.CancelFunc
	done    chan struct{}
	known   *roster
	running map[string]*testStation
}

type testStation struct {
	config sim.Config
	cancel context.CancelFunc
	done   chan struct{}
}

// followState starts the stations as proposals name them, until it is stopped.
func followState(f testFleet) (*testFleet, error) {
	ctx, cancel := context.WithCancel(context.Background())
	client, err := api.Dial(ctx, api.SocketOf(f.state))
	if err == nil && client == nil {
		err = fmt.Errorf("no serve works on %s", f.state)
	}
	if err = errors.Join(err, os.MkdirAll(f.memories, 0o700)); err != nil {
		cancel()
		return nil, err
	}
	f.cancel, f.done, f.known, f.running = cancel, make(chan struct{}), &roster{}, map[string]*testStation{}
	go func() {
		defer close(f.done)
		defer client.Close()
		f.follow(ctx, client)
		for _, s := range f.running {
			s.stop()
		}
	}()
	return &f, nil
}

func (f *testFleet) stop() {
	f.cancel()
	<-f.done
}

func (f *testFleet) follow(ctx context.Context, client *api.Client) {
	for e, err := range client.Events(ctx, 0) {
		if err != nil {
			break
		}
		if e.Kind != reservation.Proposed {
			continue
		}
		if err := f.meet(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "the stations of", f.state, "do not follow:", err)
			break
		}
	}
	<-ctx.Done() // serve drains before its stations go
}

// meet starts the stations that are new, and anew those that are built otherwise now.
func (f *testFleet) meet(ctx context.Context) error {
	w, err := lookAt(ctx, f.state)
	if err != nil {
		return err
	}
	defer w.Close()
	f.known.store = w.Store
	if err := f.known.follow(ctx, nil); err != nil {
		return err
	}
	for _, m := range f.known.all() {
		config := machine(m)
		if s := f.running[m.id]; s != nil {
			if reflect.DeepEqual(s.config, config) {
				continue
			}
			s.stop()
		}
		if f.running[m.id], err = f.start(config); err != nil {
			return err
		}
	}
	return nil
}

func (f *testFleet) start(config sim.Config) (*testStation, error) {
	client, err := sim.NewClient(sim.ClientConfig{Station: config, URL: f.url, Password: testPassword, Memory: memory{sim.Directory(f.memories)},
		MinBackOff: 20 * time.Millisecond, MaxBackOff: 200 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &testStation{config, cancel, make(chan struct{})}
	go func() {
		defer close(s.done)
		_ = client.Run(ctx)
	}()
	return s, nil
}

func (s *testStation) stop() {
	s.cancel()
	<-s.done
}

// testPassword is that of all stations which have one.
const testPassword = "correct-horse-battery-staple"
