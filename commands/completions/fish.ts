/**
 * The completions of fish.
 *
 * @module
 */

import { THIS_MACHINE } from "../../addresses/this_machine.ts";
import type { Command, Options } from "../command.ts";
import {
  BEGINNINGS,
  dashed,
  HELP,
  HELP_WORD,
  INSTEAD,
  isOptional,
  PATH_FORMS,
  PROXY_OPTIONS,
  quoted,
  takesAddress,
  withValue,
} from "./parts.ts";

/** The function that fish asks before it offers what goes in the first place only. */
const FIRST = "__deno_ssh_proxy_first_place";

/** The function that fish asks before it offers the options of the ProxyCommand. */
const IS_PROXY = "__deno_ssh_proxy_is_proxy";

/** Returns a script for fish, which loads it by the name of the program. */
export function fish(commands: readonly Command[]): string {
  return `# What fish completes deno-ssh-proxy with: made by deno-ssh-proxy completions fish.

# Prints the word before the cursor as fish reads it, with a quotation mark that may still be open.
function __deno_ssh_proxy_typed
    set -l token (commandline --current-token --cut-at-cursor | string collect)
    for end in '' \\' \\"
        string unescape -- $token$end 2>/dev/null; and return
    end
end

# Prints the addresses that this machine has, and the paths of sockets. A line is a word: a path with a line break is none.
function __deno_ssh_proxy_addresses --argument-names before typed
    # One with a control character is shown escaped, and is no address so.
    set -l found (deno-ssh-proxy list 2>/dev/null | string split -f 1 \\t | string match -rv '\\\\\\\\x') ${
    BEGINNINGS.join(" ")
  }
    for form in ${PATH_FORMS.join(" ")}
        string match -q -- "$form/*" "$typed"; or continue
        set -l path (string replace -- $form '' $typed)
        # A relative one.
        if string match -q -- '/./*' $path
            set form $form/
            set path (string sub -s 2 -- $path)
        end
        for entry in $path*
            string match -qr '[\\n\\t]' -- $entry; and continue
            test -d $entry; and set -a found $form$entry/
            test -S $entry; and set -a found $form$entry
        end
    end
    printf '%s\\n' $before$found
end

# Prints the names that config --alias has given to addresses; with --own, those that this user can remove.
function __deno_ssh_proxy_aliases
    for line in (deno-ssh-proxy config --list 2>/dev/null)
        # The file of the system.
        string match -q -- '/etc/*' $line; and test "$argv" = --own -a (id -u) != 0; and break
        string replace -rf -- '^ +--alias ([^=]+)=.*' '$1' $line
    end
end

# Prints what check and wait take. As for ssh, a user can stand before the address.
function __deno_ssh_proxy_destinations
    set -l typed (__deno_ssh_proxy_typed | string collect)
    set -l before (string match -r -- '^(?:[^/%@]+@)+' "$typed"; or echo)
    __deno_ssh_proxy_addresses "$before" (string sub -s (math 1 + (string length -- "$before")) -- "$typed" | string collect)
    for alias in (__deno_ssh_proxy_aliases)
        printf '%s\\n' "$before$alias"
    end
end

# Prints what goes behind --alias.
function __deno_ssh_proxy_alias_value
    set -l typed (__deno_ssh_proxy_typed | string replace -r -- '^--alias=' '' | string collect)
    if contains -- --uninstall (commandline --tokenize --cut-at-cursor --current-process)
        __deno_ssh_proxy_aliases --own
    else if set -l before (string match -r -- '^[^=]+=' "$typed")
        __deno_ssh_proxy_addresses $before (string sub -s (math 1 + (string length -- $before)) -- "$typed" | string collect)
    else
        __deno_ssh_proxy_aliases | string replace -r '$' =
    end
end

# Whether nothing but options has followed the command yet.
function ${FIRST}
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -e words[1..2]
    while set -q words[1]
        switch $words[1]
            case ${withValue(commands).join(" ")}
                set -e words[1..2]
            case '-*'
                set -e words[1]
            case '*'
                return 1
        end
    end
end

# Whether the first word is one of a ProxyCommand's command line.
function ${IS_PROXY}
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    string match -qir '^(?:${dashed(PROXY_OPTIONS).join("|")})|[/%]|^\\${THIS_MACHINE.address}$' -- "$words[2]"
end

complete -c deno-ssh-proxy -f
${lines(commands).join("\n")}
`;
}

function lines(commands: readonly Command[]): string[] {
  const names = commands.map(({ name }) => name);
  const one = (condition: string, rest: string) => `complete -c deno-ssh-proxy -n ${quoted(condition)} ${rest}`;
  return [
    ...[...commands, HELP_WORD].map(({ name, brief }) =>
      one("__fish_use_subcommand", `-a ${name} -d ${quoted(brief)}`)
    ),
    ...Object.entries(INSTEAD).map(([name, brief]) => one("__fish_use_subcommand", `-l ${name} -d ${quoted(brief)}`)),
    one("__fish_use_subcommand", "-a '(__deno_ssh_proxy_addresses \"\" (__deno_ssh_proxy_typed | string collect))'"),
    ...commands.flatMap(({ name, options, arguments: [first] }) => {
      const here = `__fish_seen_subcommand_from ${name}`;
      return [
        ...optionLines(options).map((option) => one(here, option)),
        one(here, `-l help -d ${quoted(HELP.help)}`),
        ...(takesAddress(first) ? [one(`${here}; and ${FIRST}`, "-a '(__deno_ssh_proxy_destinations)'")] : []),
        ...(first?.values ? [one(`${here}; and ${FIRST}`, `-a ${quoted(first.values.join(" "))}`)] : []),
      ];
    }),
    one(`__fish_seen_subcommand_from ${HELP_WORD.name}; and ${FIRST}`, `-a ${quoted(names.join(" "))}`),
    ...optionLines(PROXY_OPTIONS).map((option) => one(IS_PROXY, option)),
  ];
}

function optionLines(options: Options): string[] {
  return Object.entries(options).flatMap(([name, { brief, value, values, completes }]) => {
    const offered = values !== undefined
      ? quoted(values.join(" "))
      : completes === "alias"
      ? "'(__deno_ssh_proxy_alias_value)'"
      : undefined;
    const takes = offered !== undefined || value !== undefined && !isOptional(value) ? " -x" : "";
    // fish shows the description of a line beside each of its values, and of two lines for an option that of the last.
    const valueLines = offered === undefined ? [] : [`-l ${name} -x -a ${offered}`];
    return [...valueLines, `-l ${name} -d ${quoted(brief)}${takes}`];
  });
}
