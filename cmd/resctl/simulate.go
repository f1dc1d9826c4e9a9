package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/ocppclient/sim"
	"github.com/resctl/resctl/ocppclient/sim/control"
)

// simulateFlags are the flags of simulate.
type simulateFlags struct {
	fleet        fleetFlags
	passwordFile string
	caFile       string
	certFile     string
	keyFile      string
	control      string
	showTokens   bool
	maxBackOff   time.Duration
}

func (c *cli) simulateCommand() *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use: "simulate", Short: "Simulates stations that connect to a CSMS", Args: noMore,
		Long: "Simulates stations that connect to a CSMS over OCPP 2.0.1: to resctl apply --listen\n" +
			"in another terminal, or to any other. It runs until Ctrl-C.\n\n" +
			"With --control ADDR, what happens at the stations is said over HTTP: drivers come,\n" +
			"reservations vanish, links and power fail. docs/simulate.md says how.\n\n" +
			"The password of the stations comes from --password-file, or RESCTL_STATION_PASSWORD.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.simulateStations(cmd.Context(), f) },
	}
	s := cmd.Flags()
	f.fleet.flags(s)
	s.StringVar(&f.passwordFile, "password-file", "", "read the stations' password from `FILE` (default RESCTL_STATION_PASSWORD)")
	s.StringVar(&f.caFile, "ca-file", "", "trust the certificates in `FILE` alone, for wss:// (default RESCTL_CA_FILE)")
	s.StringVar(&f.certFile, "cert-file", "", "show the CSMS the certificate in `FILE`, for security profile 3")
	s.StringVar(&f.keyFile, "key-file", "", "the key in `FILE` belongs to --cert-file")
	s.StringVar(&f.control, "control", "", "let stations be controlled over HTTP at `ADDR`, a loopback address such as 127.0.0.1:8090")
	s.BoolVar(&f.showTokens, "show-id-tokens", false, "show tokens by their characters to the control; they are personal data")
	spanVar(s, &f.maxBackOff, "max-back-off", time.Minute, "without a link, try again after `DURATION` at most, and up to half as much more")
	return cmd
}

func (c *cli) simulateStations(ctx context.Context, f simulateFlags) error {
	configs, err := f.fleet.stations()
	if err != nil {
		return err
	}
	link, err := c.simulatedLink(f)
	if err != nil {
		return err
	}
	var stations []*sim.Client
	for _, s := range configs {
		link.Station = s
		client, err := sim.NewClient(link)
		if err != nil {
			return err
		}
		stations = append(stations, client)
	}
	var door net.Listener
	if f.control != "" {
		if door, err = control.Listen(f.control); err != nil {
			return problemf(codeAddress, "Cannot listen on "+f.control, "%s.\nChoose another address, such as --control 127.0.0.1:8090.", harmless(err.Error()))
		}
		fmt.Fprintf(c.stderr, "Control: http://%s\n", door.Addr())
	}
	err = c.simulateAll(ctx, stations, door, control.Handler(control.Config{Stations: stations, ShowTokens: f.showTokens}))
	fmt.Fprintln(c.stdout, answeredBy(stations))
	return err
}

// simulatedLink is how every station connects.
func (c *cli) simulatedLink(f simulateFlags) (link sim.ClientConfig, err error) {
	link = sim.ClientConfig{URL: f.fleet.url, Dialer: sim.NewDialer(), Log: c.logger(),
		MinBackOff: min(time.Second, f.maxBackOff), MaxBackOff: f.maxBackOff, Password: c.getenv("RESCTL_STATION_PASSWORD")}
	if f.maxBackOff < time.Millisecond {
		return link, problemf(codeUsage, "Wrong --max-back-off", "It is a duration of 1ms or more, such as 10s.")
	}
	if f.passwordFile != "" {
		b, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return link, problemf(codeUsage, "Cannot read the password", "%s.", err)
		}
		link.Password = string(bytes.TrimRight(b, "\r\n"))
	}
	if f.caFile == "" {
		f.caFile = c.getenv("RESCTL_CA_FILE")
	}
	if f.caFile != "" {
		if link.Dialer.TLSClientConfig, err = trusting(f.caFile); err != nil {
			return link, err
		}
	}
	return link, f.certify(&link)
}

// certify gives the stations a certificate, where one is named.
func (f *simulateFlags) certify(link *sim.ClientConfig) error {
	if f.certFile == "" && f.keyFile == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(f.certFile, f.keyFile)
	if err != nil {
		return problemf(codeUsage, "Cannot use the certificate", "%s.\n--cert-file and --key-file go together.", harmless(err.Error()))
	}
	if link.Dialer.TLSClientConfig == nil {
		link.Dialer.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	link.Dialer.TLSClientConfig.Certificates = []tls.Certificate{pair}
	return nil
}

// trusting is for dialers that believe in the certificates of a file alone.
func trusting(path string) (*tls.Config, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, problemf(codeUsage, "Cannot read the certificates", "%s.", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, problemf(codeUsage, "No certificate", "%s holds none in PEM form.", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// simulateAll runs the stations, and the control where it has a door, until ctx
// ends or one of them fails.
func (c *cli) simulateAll(ctx context.Context, stations []*sim.Client, door net.Listener, h http.Handler) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, len(stations)+1)
	var all sync.WaitGroup
	for _, s := range stations {
		all.Go(func() {
			if err := s.Run(running); err != nil {
				failed <- err
			}
		})
	}
	if door != nil {
		all.Go(func() {
			if err := control.Serve(running, door, h); err != nil {
				failed <- err
			}
		})
	}
	err := c.watchFleet(running, stations, failed)
	stop()
	all.Wait()
	return err
}

// watchFleet says how many stations are connected whenever that changes, and
// why the first of the others is not. It returns when ctx ends.
func (c *cli) watchFleet(ctx context.Context, stations []*sim.Client, failed <-chan error) error {
	const often = 100 * time.Millisecond
	was := fleetState{connected: -1}
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-time.After(often):
		}
		is := stateOf(stations)
		if is.connected != was.connected {
			fmt.Fprintf(c.stderr, "%d of %d connected\n", is.connected, len(stations))
		}
		if is.failure != nil && is.cause() != was.cause() {
			fmt.Fprintln(c.stderr, harmless(is.failure.Error()))
		}
		if is.failure == nil && is.connected < len(stations) {
			is.failure = was.failure // it is on its way
		}
		was = is
	}
}

// fleetState is how the stations are together.
type fleetState struct {
	connected int
	failure   error // of the first that cannot connect
}

// cause is what is wrong, whichever station meets it first.
func (f fleetState) cause() string {
	if f.failure == nil {
		return ""
	}
	_, why, _ := strings.Cut(f.failure.Error(), ": ")
	return why
}

func stateOf(stations []*sim.Client) (f fleetState) {
	for _, s := range stations {
		if s.Connected() {
			f.connected++
		} else if err := s.Failure(); err != nil && f.failure == nil {
			f.failure = err
		}
	}
	return f
}

// answeredBy is what the stations were asked while they ran.
func answeredBy(stations []*sim.Client) string {
	calls := map[string]int{}
	for _, s := range stations {
		for action, n := range s.Calls() {
			calls[action] += n
		}
	}
	text := count(len(stations), "station") + " simulated."
	if len(calls) == 0 {
		return text + " No calls came."
	}
	var parts []string
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		parts = append(parts, fmt.Sprintf("%s %d", harmless(action), calls[action]))
	}
	return text + " Calls: " + strings.Join(parts, ", ") + "."
}
