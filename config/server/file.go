package server

import "time"

// File is a server file, every value checked. What it does not say is zero or nil:
// then the default of the flag holds. Paths are as they can be opened, addresses
// are host:port, durations are not negative.
type File struct {
	OCPP               *OCPP          `hcl:"ocpp"`
	API                *API           `hcl:"api"`
	State              string         `hcl:"state"`                // path
	FirstReservationID int32          `hcl:"first_reservation_id"` // of a state that is new; 1 or more
	Retention          *time.Duration `hcl:"retention"`            // of the journal
	Horizon            *time.Duration `hcl:"horizon"`              // of the proof that everything fits
	QuietPeriod        *time.Duration `hcl:"quiet_period"`
	MoveTimeout        *time.Duration `hcl:"move_timeout"`
	Watches            []Watch        `hcl:"watch"` // by label, each once, as the file has them
	Notify             *Notify        `hcl:"notify"`
	Metrics            *Metrics       `hcl:"metrics"`
}

// OCPP is how stations connect.
type OCPP struct {
	Address         string `hcl:"address"`
	SecurityProfile *int   `hcl:"security_profile"` // 0 to 3
	UnknownStations string `hcl:"unknown_stations"` // refuse or accept
	Authorization   string `hcl:"authorization"`    // declared or any
	MaxPerAddress   *int   `hcl:"max_per_address"`  // connections; -1: any number
	MaxMessageRate  *int   `hcl:"max_message_rate"` // of one station in a second; -1: any number
	TLS             *TLS   `hcl:"tls"`
}

// TLS are the certificates of the endpoint of the stations. There are as many keys
// as certificates.
type TLS struct {
	CertFiles      []string `hcl:"cert_file"`
	KeyFiles       []string `hcl:"key_file"`
	ClientCAFile   string   `hcl:"client_ca_file"`
	RSAKeyExchange bool     `hcl:"rsa_key_exchange"`
}

// API is how programs and people connect.
type API struct {
	Address string  `hcl:"address"`
	TLS     *APITLS `hcl:"tls"`
	Tokens  []Token `hcl:"token"` // by label, each once, as the file has them
}

// APITLS is the certificate of the API.
type APITLS struct {
	CertFile string `hcl:"cert_file"`
	KeyFile  string `hcl:"key_file"`
}

// Token lets in whoever has the secret of which this is the hash.
type Token struct {
	Name       string   // the label
	SHA256     string   `hcl:"sha256"` // 64 hexadecimal digits, in lower case
	Scope      string   `hcl:"scope"`  // read, plan, write or admin
	Workspaces []string `hcl:"workspaces"`
}

// Watch keeps a workspace as a directory declares it. What is nil has the default
// of its flag.
type Watch struct {
	Workspace string         // the label
	Directory string         `hcl:"directory"`
	Interval  *time.Duration `hcl:"interval"`
	Settle    *time.Duration `hcl:"settle"`
	MaxCancel *int           `hcl:"max_cancel"`
}

// Notify is where webhooks go, and the key that they are signed with.
type Notify struct {
	URL        string `hcl:"url"`
	Secret     string `hcl:"secret"`      // in the file, or read from SecretFile
	SecretFile string `hcl:"secret_file"` // path; "": the secret stands in the file

	Grace *time.Duration `hcl:"grace"` // of drift, before it is told
}

// Metrics is where programs that watch over this one connect.
type Metrics struct {
	Address string `hcl:"address"`
}
