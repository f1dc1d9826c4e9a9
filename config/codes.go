package config

// Code explains one stable diagnostic code.
type Code struct {
	Code    string // "RC504"
	Title   string // what is wrong, in a few words
	Meaning string // what it says about the configuration
	Remedy  string // what to do
}

// Codes of this package: RC5xx for the language, RC31x for times in it.
const (
	codeSyntax       = "RC501"
	codeFile         = "RC502"
	codeLimit        = "RC503"
	codeBlockType    = "RC504"
	codeArgument     = "RC505"
	codeExpression   = "RC506"
	codeValue        = "RC507"
	codeSensitive    = "RC508"
	codeDuplicate    = "RC509"
	codeVersion      = "RC510"
	codeWorkspace    = "RC511"
	codeUndeclared   = "RC512"
	codeMissing      = "RC513"
	codeVariable     = "RC514"
	codeValidation   = "RC515"
	codeCycle        = "RC516"
	codeRepetition   = "RC517"
	codeIdentity     = "RC518"
	codeStationTwice = "RC519"
	codeStationTypo  = "RC520"
	codeTarget       = "RC521"
	codeToken        = "RC522"
	codePassword     = "RC523"
	codeChoice       = "RC524"
	codeMoved        = "RC525"
	codeImport       = "RC526"
	codeModule       = "RC527"
	codePrecondition = "RC528"
	codeInternal     = "RC599"

	codeTimestamp = "RC310"
	codeDuration  = "RC311"
	codeWindow    = "RC312"
	codeWhen      = "RC313"
	codeSchedule  = "RC314"
	codeException = "RC315"
)

// Codes lists every code that this package reports, in order. Documentation is
// written from it.
func Codes() []Code { return append([]Code(nil), codes...) }

var codes = []Code{
	{codeTimestamp, "Invalid time", "A time is not RFC 3339 with a zone, has fractions of a second, or lies past what stations can store (19 January 2038).",
		`Write it like "2026-11-22T22:00:00+01:00".`},
	{codeDuration, "Invalid duration", "A duration cannot be read, is negative, has fractions of a second, or is longer than 366 days.",
		`Write it like "8h", "10m", "1h30m" or "2d".`},
	{codeWindow, "Empty window", "A window ends at or before its start.", "Let expiry_date_time be later than start_date_time."},
	{codeWhen, "When is not said exactly once", "A reservation has none, or more than one, of schedule, window, expiry_date_time and hold_for.", "Keep exactly one of them."},
	{codeSchedule, "Invalid schedule", "An attribute of a schedule block cannot be read, is missing, or names no day at all.", "Correct the attribute that the message names."},
	{codeException, "Exception without effect", "A date in except_dates is none on which a window of the schedule would start. A warning, given for dates that are written in the block: lists from elsewhere may be meant for several schedules.",
		"Remove the date, or write the one on which the window starts."},
	{codeSyntax, "Syntax error", "The file is not valid HCL (or JSON).", "Correct the marked place."},
	{codeFile, "File cannot be used", "A file or directory is missing, unreadable, not a regular file, not UTF-8, or leads outside the root directory.",
		"Keep files inside the directory of the configuration."},
	{codeLimit, "Too large", "The input is over a limit that protects this program: file size, nesting, expression length, number of instances, or work.",
		"Split or simplify the marked place."},
	{codeBlockType, "Unsupported block type", "A block of this type is not known here.", "Check the spelling; see the language reference."},
	{codeArgument, "Missing or unsupported argument", "An argument, a label or a block is missing, not expected, or given twice.", "Check the spelling; see the language reference."},
	{codeExpression, "Expression cannot be evaluated", "An expression names something that is not there, or an operation or function failed.", "Correct the marked expression."},
	{codeValue, "Unsuitable value", "A value has the wrong type, is null or empty where it must not be, or is out of range.", "Give a value of the kind that the message names."},
	{codeSensitive, "Sensitive value", "A sensitive value stands where it would have to be shown.", "Use nonsensitive() on the part that is no secret, such as nonsensitive(keys(var.x))."},
	{codeDuplicate, "Declared twice", "Two blocks have the same address.", "Rename or remove one of them."},
	{codeVersion, "Version not allowed", "required_version cannot be read, or this version of resctl does not satisfy it.", "Use another version of resctl, or change the constraint."},
	{codeWorkspace, "Invalid workspace or server", "The name of the workspace or the address of the server cannot be used.", `Use letters, digits, "-", "_" and "."; an http or https address.`},
	{codeUndeclared, "Undeclared variable", "A value was given for a variable that no variable block declares.", "Declare the variable, or correct its name."},
	{codeMissing, "No value for required variable", "A variable without default was given no value.", "Give it by --var, by --var-file, by a *.auto.hclvars file or by RESCTL_VAR_name."},
	{codeVariable, "Invalid value for variable", "A value does not fit the type of its variable, or is null where null is not allowed.", "Give a value of the declared type."},
	{codeValidation, "Validation failed", "A value does not satisfy a validation rule of its variable.", "See the message of the rule."},
	{codeCycle, "Cycle", "Values depend on themselves.", "Break the cycle at one of the named places."},
	{codeRepetition, "Invalid for_each or count", "for_each is not a map or a set of strings, or count is not a whole number of 0 or more, or both are given.", "Use toset() on lists; give one of the two."},
	{codeIdentity, "Invalid station identity", "An OCPP identity has 1 to 48 characters: letters, digits and * - _ = + | @ .", "Write the identity with which the station connects."},
	{codeStationTwice, "Station declared twice", "Two station blocks have the same OCPP identity.", "Keep one; elsewhere refer to it."},
	{codeStationTypo, "Station identity looks misspelt", "An identity that no station block declares is very close to one that is declared. A warning.", "Refer to the station block instead of writing its identity."},
	{codeTarget, "Invalid target", "The EVSE or connector type does not exist at the station, or both are given, or a value is out of range.", "Name one EVSE, or one connector type, or neither for any EVSE."},
	{codeToken, "Invalid token", "An id token is too long, empty, of an unknown type, or holds characters that no reader produces.", "Write it as OCPP's IdTokenType."},
	{codePassword, "Invalid password", "A station password has 16 to 64 characters.", "Use 16 random characters or more."},
	{codeChoice, "Unknown choice", "A value is not one of those that exist.", "Use one of the values that the message lists."},
	{codeMoved, "Invalid move or removal", "A moved or removed block names no address, one that is still declared, or one that another such block names; or moves lead in a circle.", "Follow the message; a block that has done its work can be deleted."},
	{codeImport, "Invalid import", "An import block names a reservation that is not declared, another station than that reservation's, or something that is imported already; or its id is not a whole number from 1 to 2147483647.", "Declare the reservation first, then name it, its station, and the id under which the station knows it."},
	{codeModule, "Invalid module", "A module block names no local directory or has an argument that modules do not have, or a directory that is used as a module declares what only the root may.", `Write source = "./directory", and arguments for the variables of that directory.`},
	{codePrecondition, "Precondition does not hold", "The condition of a precondition block is false for an instance of a reservation, or for an output.", "See the message of the precondition."},
	{codeInternal, "Internal error", "A defect in resctl.", "Please report it, with the configuration that shows it."},
}
