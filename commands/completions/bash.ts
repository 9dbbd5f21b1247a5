/**
 * The completions of bash.
 *
 * @module
 */

import type { Argument, Command, Option, Options } from "../command.ts";
import { QUOTING } from "./bash_quoting.ts";
import {
  BEGINNINGS,
  dashed,
  HELP,
  HELP_WORD,
  INSTEAD,
  isOptional,
  PATH_FORMS,
  PROXY_OPTIONS,
  PROXY_PATTERNS,
  takesAddress,
  withValue,
} from "./parts.ts";

/** Returns a script for bash. bash-completion loads it by the name of the program. */
export function bash(commands: readonly Command[]): string {
  return `# What bash completes deno-ssh-proxy with: made by deno-ssh-proxy completions bash.

${QUOTING}# Offers those of these words that begin with what is typed, without the part that readline leaves alone.
_deno_ssh_proxy_offer() { # _deno_ssh_proxy_offer WORD...
  local word
  for word; do
    word=$before$word
    [[ $word != "$typed"* ]] || COMPREPLY+=("\${word#"$kept"}")
  done
}

# Prints the directories and sockets whose paths begin like this, with a NUL behind each.
_deno_ssh_proxy_paths() ( # _deno_ssh_proxy_paths PATH
  set +f
  shopt -u failglob nocaseglob
  GLOBIGNORE=
  for path in "$1"*; do
    if [[ -d $path ]]; then
      printf '%s/\\0' "$path"
    elif [[ -S $path ]]; then
      printf '%s\\0' "$path"
    fi
  done
)

# Offers the addresses that this machine has, and the paths of sockets.
_deno_ssh_proxy_addresses() { # _deno_ssh_proxy_addresses PROGRAM
  local address=\${typed#"$before"} form path
  while IFS=$'\\t' read -r path _; do
    # One with a control character is shown escaped, and is no address so.
    [[ $path == *\\\\x* ]] || _deno_ssh_proxy_offer "$path"
  done < <("$1" list 2>/dev/null)
  case $address in
  ${PATH_FORMS.map((form) => `${form}/*`).join(" | ")})
    form=\${address%%/*}
    path=\${address#"$form"}
    # A relative one.
    [[ $path != /./* ]] || { form+=/ path=\${path#/}; }
    while IFS= read -r -d '' path; do
      _deno_ssh_proxy_offer "$form$path"
    done < <(_deno_ssh_proxy_paths "$path")
    ;;
  */* | *%*) ;;
  *) _deno_ssh_proxy_offer ${BEGINNINGS.join(" ")} ;;
  esac
}

# Sets \`aliases\` to the names that config --alias has given to addresses; with --own, to those that this user can remove.
_deno_ssh_proxy_aliases() { # _deno_ssh_proxy_aliases PROGRAM [--own]
  local line
  aliases=()
  while IFS= read -r line; do
    # The file of the system.
    [[ $line != /etc/* || \${2-} != --own || $EUID == 0 ]] || break
    [[ ! $line =~ ^\\ +--alias\\ ([^=]+)= ]] || aliases+=("\${BASH_REMATCH[1]}")
  done < <("$1" config --list 2>/dev/null)
}

# Offers what goes behind --alias.
_deno_ssh_proxy_alias_value() { # _deno_ssh_proxy_alias_value PROGRAM
  local aliases value=\${typed#"$before"}
  if [[ " \${words[*]} " == *' --uninstall '* ]]; then
    _deno_ssh_proxy_aliases "$1" --own
    _deno_ssh_proxy_offer "\${aliases[@]}"
  elif [[ $value == *=* ]]; then
    before+=\${value%%=*}=
    _deno_ssh_proxy_addresses "$1"
  else
    _deno_ssh_proxy_aliases "$1"
    _deno_ssh_proxy_offer "\${aliases[@]/%/=}"
  fi
}

# Offers what the last of \`words\` can become.
_deno_ssh_proxy_words() { # _deno_ssh_proxy_words PROGRAM
  local options= values= takes= option aliases at places=0 last=$((\${#words[@]} - 1))
  if ((last == 1)); then
    _deno_ssh_proxy_offer ${[...commands.map(({ name }) => name), HELP_WORD.name, ...dashed(INSTEAD)].join(" ")}
    [[ $typed == -* ]] || _deno_ssh_proxy_addresses "$1"
    return
  fi
  case \${words[1]} in
${commands.map(commandCase).join("\n")}
  ${HELP_WORD.name}) values="${commands.map(({ name }) => name).join(" ")}" ;;
  ${PROXY_PATTERNS.join(" | ")})
    options="${dashed(PROXY_OPTIONS).join(" ")}"
    ;;
  esac
  option=\${words[last - 1]}
  if [[ $typed == --*=* ]]; then
    option=\${typed%%=*}
    before=$option=
  fi
  case $option in
${valueCases([...commands.map(({ options }) => options), PROXY_OPTIONS])}
  esac
  before=
  if [[ $typed == -* ]]; then
    _deno_ssh_proxy_offer $options
    return
  fi
  for ((at = 2; at < last; at++)); do
    case \${words[at]} in
    ${withValue(commands).join(" | ")}) at=$((at + 1)) ;;
    -*) ;;
    *) places=$((places + 1)) ;;
    esac
  done
  ((places == 0)) || return
  _deno_ssh_proxy_offer $values
  if [[ -n $takes ]]; then
    # As ssh takes a user before the address.
    [[ ! $typed =~ ^([^/%@]+@)+ ]] || before=\${BASH_REMATCH[0]}
    _deno_ssh_proxy_addresses "$1"
    _deno_ssh_proxy_aliases "$1"
    _deno_ssh_proxy_offer "\${aliases[@]}"
  fi
}

_deno_ssh_proxy() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} at piece word typed kept unquoted mark before=
  local -a words=()
  COMPREPLY=()
  # Joins what the shell reads as one word: readline ends words at each of COMP_WORDBREAKS, such as = and @.
  for ((at = 0; at <= COMP_CWORD; at++)); do
    piece=\${line%%[![:space:]]*}
    line=\${line#"$piece"}
    [[ $at != 0 && -z $piece ]] || words+=("")
    piece=\${COMP_WORDS[at]}
    ((at < COMP_CWORD)) || piece=$line
    line=\${line#"$piece"}
    words[\${#words[@]} - 1]+=$piece
  done
  word=\${words[\${#words[@]} - 1]}
  _deno_ssh_proxy_unquote "$word"
  typed=$unquoted
  # readline replaces the end of the word, and leaves this.
  _deno_ssh_proxy_unquote "\${word%"$2"}"
  kept=$unquoted
  _deno_ssh_proxy_words "$1"
  ((\${#COMPREPLY[@]} == 0)) || _deno_ssh_proxy_quote_all
  # What goes on after a word has no space behind it.
  [[ \${#COMPREPLY[@]} != 1 || \${COMPREPLY[0]} != *[/=] ]] || compopt -o nospace 2>/dev/null
}

complete -F _deno_ssh_proxy deno-ssh-proxy
`;
}

/** What a command takes. */
function commandCase({ name, options, arguments: [first] }: Command): string {
  return `  ${name})
    options="${dashed({ ...options, ...HELP }).join(" ")}" values="${valuesOf(first)}" takes=${
    takesAddress(first) ? "address" : ""
  }
    ;;`;
}

function valuesOf(argument: Argument | undefined): string {
  return (argument?.values ?? []).join(" ");
}

/** What follows each option that takes a value. */
function valueCases(all: readonly Options[]): string {
  const lines = all.flatMap((options) => Object.entries(options)).map(([name, option]) => valueCase(name, option));
  return [...new Set(lines)].filter((line) => line !== "").join("\n");
}

function valueCase(name: string, { value, values, completes }: Option): string {
  const offer = values !== undefined
    ? `_deno_ssh_proxy_offer ${values.join(" ")}`
    : completes === "alias"
    ? '_deno_ssh_proxy_alias_value "$1"'
    : undefined;
  if (offer !== undefined) return `  --${name})\n    ${offer}\n    return\n    ;;`;
  return value === undefined || isOptional(value) ? "" : `  --${name}) return ;;`;
}
