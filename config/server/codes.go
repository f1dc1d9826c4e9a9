package server

// Code explains one stable diagnostic code.
type Code struct {
	Code    string // "RC552"
	Title   string // what is wrong, in a few words
	Meaning string // what it says about the file
	Remedy  string // what to do
}

// Codes of this package.
const (
	codeFile       = "RC550"
	codeSyntax     = "RC551"
	codeSetting    = "RC552"
	codeValue      = "RC553"
	codeChoice     = "RC554"
	codeTogether   = "RC555"
	codeSecret     = "RC556"
	codeNotYet     = "RC557"
	codeUnreadable = "RC558"
)

// Codes lists every code that this package reports, in order. Documentation is
// written from it.
func Codes() []Code {
	return []Code{
		{codeFile, "Server file cannot be used", "The server file is missing, unreadable, not a regular file, not UTF-8, or larger than a server file can be.", "The message says which; --config names the file."},
		{codeSyntax, "Syntax error in the server file", "The server file is not valid HCL (or JSON), or an expression in it names something: there are no variables and no functions in it.", "Correct the marked place."},
		{codeSetting, "Missing or unsupported setting", "A setting or block of the server file is missing, not known, or given twice.", "Check the spelling; see docs/server.md."},
		{codeValue, "Unsuitable value of a setting", "A value has the wrong type, is null or empty, cannot be read, or is out of range.", "Give a value of the kind that the message names."},
		{codeChoice, "Unknown choice of a setting", "A value is not one of those that exist.", "Use one of the values that the message lists."},
		{codeTogether, "Settings that do not go together", "Two settings contradict each other, or one needs another that is not there.", "The message names both; keep what is meant."},
		{codeSecret, "Secret cannot be used", "The file of secret_file cannot be read, others can read it, or the secret in it, or in secret, has less than 16 characters.", "Use 16 random characters or more, in a file with mode 0600."},
		{codeNotYet, "Not in this version", "The server file has an upstream block: this version of resctl does not work beside another CSMS.", "Remove the block; let the stations connect to resctl."},
		{codeUnreadable, "Too much for a server file", "The server file is over a limit that protects this program: nesting, expression length, or work.", "Write the values themselves."},
	}
}
