/**
 * The completions of zsh.
 *
 * @module
 */

import { THIS_MACHINE } from "../../addresses/this_machine.ts";
import type { Argument, Command, Option, Options } from "../command.ts";
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
  quoted,
  takesAddress,
} from "./parts.ts";

/** Returns a function for zsh, which finds it in a directory of fpath by its name. */
export function zsh(commands: readonly Command[]): string {
  return `#compdef deno-ssh-proxy
# What zsh completes deno-ssh-proxy with: made by deno-ssh-proxy completions zsh.

# Adds the addresses that this machine has, and the paths of sockets. All of them are whole words: zsh would otherwise cut
# the line to what the words of one kind have in common with the rest of those of another kind.
_deno_ssh_proxy_addresses() {
  emulate -L zsh
  local -a found directories
  local typed=\${(Q)PREFIX} form
  found=(\${(f)"$(deno-ssh-proxy list 2>/dev/null | cut -f1)"})
  # One with a control character is shown escaped, and is no address so.
  found=(\${found:#*\\\\x*})
  case $typed in
  (${PATH_FORMS.join("|")})/*)
    form=\${typed%%/*}
    typed=\${typed#$form}
    # A relative path.
    [[ $typed != /./* ]] || { form+=/ typed=\${typed#/} }
    local -a sockets=($typed*(N-=)) places=($typed*(N-/))
    found+=($form\${^sockets})
    directories=($form\${^places}/)
    ;;
  */*|*%*) ;;
  *)
    directories=(${BEGINNINGS.filter((form) => form.endsWith("/")).join(" ")})
    found+=(${THIS_MACHINE.address})
    ;;
  esac
  compadd -a found
  compadd -S '' -a directories
}

# Sets aliases to the names that config --alias has given to addresses; with --own, to those that this user can remove.
_deno_ssh_proxy_aliases() {
  local line
  aliases=()
  for line in \${(f)"$(deno-ssh-proxy config --list 2>/dev/null)"}; do
    # The file of the system.
    [[ $line != /etc/* || $1 != --own || $EUID == 0 ]] || break
    [[ $line != ' '*'--alias '*=* ]] || aliases+=(\${\${line#*--alias }%%=*})
  done
}

# Adds what check and wait take. As for ssh, a user can stand before the address.
_deno_ssh_proxy_destinations() {
  emulate -L zsh -o extendedglob
  local -a aliases
  compset -P '([^/%@]##@)##'
  _deno_ssh_proxy_addresses
  _deno_ssh_proxy_aliases
  compadd -a aliases
}

# Adds what goes behind --alias.
_deno_ssh_proxy_alias_value() {
  emulate -L zsh -o extendedglob
  local -a aliases
  if ((\${words[(I)--uninstall]})); then
    _deno_ssh_proxy_aliases --own
    compadd -a aliases
  elif compset -P '[^=]##='; then
    _deno_ssh_proxy_addresses
  else
    _deno_ssh_proxy_aliases
    compadd -S = -a aliases
  fi
}

_deno-ssh-proxy() {
  if ((CURRENT == 2)); then
    local -a commands=(
${
    [...commands, HELP_WORD].map(({ name, brief }) => `      ${quoted(`${name}:${brief.replaceAll(":", "\\\\:")}`)}`)
      .join("\n")
  }
    )
    _describe command commands
    compadd -- ${dashed(INSTEAD).join(" ")}
    _deno_ssh_proxy_addresses
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${commands.map(commandCase).join("\n")}
  ${HELP_WORD.name})
    _arguments ${quoted(`1:COMMAND:(${commands.map(({ name }) => name).join(" ")})`)}
    ;;
  ${PROXY_PATTERNS.join("|")})
    _arguments ${[...optionSpecs(PROXY_OPTIONS), quoted("1:PORT:")].join(" \\\n      ")}
    ;;
  esac
}

_deno-ssh-proxy "$@"
`;
}

/** What a command takes, as zsh's _arguments has it. */
function commandCase({ name, options, arguments: args }: Command): string {
  const specs = [
    ...optionSpecs(options),
    quoted(`--help[${HELP.help}]`),
    ...args.map((one, at) => quoted(`${at + 1}${one.optional ? ":" : ""}:${one.name}:${actionFor(one)}`)),
  ];
  return `  ${name})\n    _arguments ${specs.join(" \\\n      ")}\n    ;;`;
}

function actionFor(argument: Argument): string {
  if (takesAddress(argument)) return "_deno_ssh_proxy_destinations";
  return argument.values ? `(${argument.values.join(" ")})` : "";
}

function optionSpecs(options: Options): string[] {
  return Object.entries(options).map(([name, option]) =>
    quoted(
      `${option.repeated ? "*" : ""}--${name}${equals(option)}[${escaped(option.brief)}]${valueSpec(name, option)}`,
    )
  );
}

/** Has the value be the next word, or stand behind a `=`. */
function equals({ value, values }: Option): string {
  return values !== undefined || value !== undefined && !isOptional(value) ? "=" : "";
}

function valueSpec(name: string, { value, values, completes }: Option): string {
  if (values !== undefined) return `:${name}:(${values.join(" ")})`;
  if (value === undefined || isOptional(value)) return "";
  const action = completes === "alias" ? "_deno_ssh_proxy_alias_value" : "";
  return `:${value.replaceAll(":", "\\:")}:${action}`;
}

/** Escapes what stands in the brackets of a specification of _arguments. */
function escaped(brief: string): string {
  return brief.replace(/[[\]:]/g, "\\$&");
}
