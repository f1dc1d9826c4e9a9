package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/config/server"
)

// fileSetting is one setting of the server file, and the flag that says the same.
type fileSetting struct {
	name  string // ocpp.tls.cert_file
	flag  string // "": the file alone says it
	again bool   // SIGHUP takes it
	texts func(*server.File) []string
}

// fileSettings are all of them, in the order of the file.
func fileSettings() []fileSetting {
	return []fileSetting{
		{"ocpp.address", "listen", false, func(f *server.File) []string { return aText(f.OCPP.Address) }},
		{"ocpp.security_profile", "security-profile", false, func(f *server.File) []string { return number(f.OCPP.SecurityProfile) }},
		{"ocpp.unknown_stations", "unknown-stations", false, func(f *server.File) []string { return aText(f.OCPP.UnknownStations) }},
		{"ocpp.authorization", "authorization", false, func(f *server.File) []string { return aText(f.OCPP.Authorization) }},
		{"ocpp.max_per_address", "max-per-address", false, func(f *server.File) []string { return number(f.OCPP.MaxPerAddress) }},
		{"ocpp.max_message_rate", "max-message-rate", false, func(f *server.File) []string { return number(f.OCPP.MaxMessageRate) }},
		{"ocpp.tls.cert_file", "tls-cert", true, func(f *server.File) []string { return f.OCPP.TLS.CertFiles }},
		{"ocpp.tls.key_file", "tls-key", true, func(f *server.File) []string { return f.OCPP.TLS.KeyFiles }},
		{"ocpp.tls.client_ca_file", "client-ca", true, func(f *server.File) []string { return aText(f.OCPP.TLS.ClientCAFile) }},
		{"ocpp.tls.rsa_key_exchange", "tls-rsa-key-exchange", true, func(f *server.File) []string { return yes(f.OCPP.TLS.RSAKeyExchange) }},
		{"api.address", "api", false, func(f *server.File) []string { return aText(f.API.Address) }},
		{"api.tls.cert_file", "api-cert", true, func(f *server.File) []string { return aText(f.API.TLS.CertFile) }},
		{"api.tls.key_file", "api-key", true, func(f *server.File) []string { return aText(f.API.TLS.KeyFile) }},
		{"api.token", "api-token", true, tokenTexts},
		{"state", "state", false, func(f *server.File) []string { return aText(f.State) }},
		{"first_reservation_id", "first-reservation-id", false, func(f *server.File) []string {
			if f.FirstReservationID == 0 {
				return nil
			}
			return []string{strconv.Itoa(int(f.FirstReservationID))}
		}},
		{"retention", "retention", false, func(f *server.File) []string { return lasting(f.Retention) }},
		{"horizon", "horizon", false, func(f *server.File) []string { return lasting(f.Horizon) }},
		{"quiet_period", "quiet-period", false, func(f *server.File) []string { return lasting(f.QuietPeriod) }},
		{"move_timeout", "move-timeout", false, func(f *server.File) []string { return lasting(f.MoveTimeout) }},
		{"watch", "watch", true, nil}, // see watchesOf: each has settings of its own
		{"notify.url", "notify-url", true, func(f *server.File) []string { return aText(f.Notify.URL) }},
		{"notify.secret_file", "notify-secret-file", true, func(f *server.File) []string { return aText(f.Notify.SecretFile) }},
		{"notify.grace", "notify-grace", true, func(f *server.File) []string { return lasting(f.Notify.Grace) }},
		{"metrics.address", "metrics", false, func(f *server.File) []string { return aText(f.Metrics.Address) }},
	}
}

func aText(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func yes(b bool) []string {
	if !b {
		return nil
	}
	return []string{"true"}
}

func number(n *int) []string {
	if n == nil {
		return nil
	}
	return []string{strconv.Itoa(*n)}
}

func lasting(d *time.Duration) []string {
	if d == nil {
		return nil
	}
	return []string{d.String()}
}

// tokenTexts are tokens as --api-token has them.
func tokenTexts(f *server.File) (list []string) {
	for _, t := range f.API.Tokens {
		scope := t.Scope
		if len(t.Workspaces) > 0 {
			scope += ":" + strings.Join(t.Workspaces, ",")
		}
		list = append(list, t.Name+"="+scope+":"+t.SHA256)
	}
	return list
}

// flagTexts are flags that were given, with what they were given.
type flagTexts map[string][]string

// flagsGiven are those of a command line.
func flagsGiven(set *pflag.FlagSet) flagTexts {
	given := flagTexts{}
	set.Visit(given.note)
	return given
}

// flagsOf are all flags, given or not.
func flagsOf(set *pflag.FlagSet) flagTexts {
	all := flagTexts{}
	set.VisitAll(all.note)
	return all
}

func (t flagTexts) note(f *pflag.Flag) {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		t[f.Name] = list.GetSlice()
	} else {
		t[f.Name] = []string{f.Value.String()}
	}
}

// fromFile reads the server file, if one is named, for the settings whose flags
// were not given.
func (c *cli) fromFile(f *serveFlags, set *pflag.FlagSet) error {
	if f.file == "" {
		return nil
	}
	file, ds := server.Load(f.file)
	if file == nil {
		c.view.Diagnostics(ds)
		return exit(exitError)
	}
	return f.fill(set, file, f.given)
}

// fill gives the flags that were not given what a server file says.
func (f *serveFlags) fill(set *pflag.FlagSet, file *server.File, given flagTexts) error {
	file = complete(file)
	for _, s := range fileSettings() {
		if s.texts == nil || given[s.flag] != nil {
			continue
		}
		for _, text := range s.texts(file) {
			if set.Lookup(s.flag) == nil {
				return problemf(codeUsage, "A setting cannot be carried out: "+s.name, "%s says it, and this version of resctl has no --%s. Remove it from the file.", f.file, s.flag)
			}
			if err := set.Set(s.flag, text); err != nil {
				return problemf(codeUsage, "Wrong value of "+s.name, "%s: %s.", f.file, err)
			}
		}
	}
	if given["watch"] == nil {
		f.watch.filed = f.watchesOf(file)
	}
	f.notify.secret = file.Notify.Secret
	return nil
}

// complete has every block, so that each setting can be looked at.
func complete(file *server.File) *server.File {
	all := *file
	ocpp, api := server.OCPP{}, server.API{}
	if all.OCPP != nil {
		ocpp = *all.OCPP
	}
	if all.API != nil {
		api = *all.API
	}
	if ocpp.TLS == nil {
		ocpp.TLS = &server.TLS{}
	}
	if api.TLS == nil {
		api.TLS = &server.APITLS{}
	}
	all.OCPP, all.API = &ocpp, &api
	if all.Notify == nil {
		all.Notify = &server.Notify{}
	}
	if all.Metrics == nil {
		all.Metrics = &server.Metrics{}
	}
	return &all
}

// watchesOf are the watches of a server file; what one does not say is as the
// flags have it.
func (f *serveFlags) watchesOf(file *server.File) (list []watchSettings) {
	for _, w := range file.Watches {
		s := watchSettings{w.Workspace, w.Directory, f.watch.interval, f.watch.settle, f.watch.maxCancel}
		if w.Interval != nil {
			s.interval = *w.Interval
		}
		if w.Settle != nil {
			s.settle = *w.Settle
		}
		if w.MaxCancel != nil {
			s.maxCancel = *w.MaxCancel
		}
		list = append(list, s)
	}
	return list
}
