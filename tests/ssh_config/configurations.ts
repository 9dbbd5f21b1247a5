/**
 * Configurations as people have them, and the hosts that each is asked for.
 *
 * @module
 */

/** A user's ssh_config, and what belongs to it. */
export interface Configuration {
  /** What it has that others have not. */
  name: string;
  /** ~/.ssh/config. */
  config: string;
  /** Other files, by their paths in a {@linkcode Home}. */
  files?: Record<string, string>;
  /** What ssh is asked for. */
  hosts: string[];
  /** Whether ssh refuses it, with and without this program. */
  refused?: true;
}

/** A command for `Match exec` that leaves a line at each run, in {@linkcode RAN}. */
export const COUNTED = "echo run >>$HOME/ran";

export const RAN = "~/ran";

/** Options of a wider block, which must not reach a host that only resolves into it. */
const LAX = "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  ForwardAgent yes\n";

const MANY = Array.from({ length: 1000 }, (_, n) => `Host host${n}\n  HostName 10.0.${n >> 8}.${n & 255}\n`).join("\n");

export const CONFIGURATIONS: Configuration[] = [
  { name: "an empty file", config: "", hosts: ["example.org", "10.1.2.3"] },
  {
    name: "a host whose HostName another block matches",
    config: `Host prod-db\n  HostName 10.1.2.3\n\nHost 10.*\n${LAX}`,
    hosts: ["prod-db", "10.1.2.3"],
  },
  {
    name: "a bastion whose HostName is behind itself",
    config: "Host bastion\n  HostName bastion.corp.example\n\nHost *.corp.example\n  ProxyJump bastion\n",
    hosts: ["bastion", "web.corp.example"],
  },
  {
    name: "two bastions, one behind the other",
    config:
      "Host a\n  HostName a.example\n  ProxyJump b\n\nHost b\n  HostName b.example\n\nHost *.example\n  ProxyJump a,b\n",
    hosts: ["a", "b", "c.example"],
  },
  {
    name: "ProxyJump none for one host of many",
    config: "Host direct.example\n  ProxyJump none\n\nHost *.example\n  ProxyJump jump.example.net\n",
    hosts: ["direct.example", "other.example"],
  },
  {
    name: "a ProxyCommand of the user's own",
    config:
      "Host old\n  HostName old.example\n  ProxyCommand nc -X 5 -x 127.0.0.1:1080 %h %p\n\nHost *.example\n  ProxyUseFdpass yes\n",
    hosts: ["old", "x.example"],
  },
  {
    name: "Host * at the top",
    config: "Host *\n  User all\n  ServerAliveInterval 30\n\nHost web\n  User web\n  HostName web.example\n",
    hosts: ["web", "other"],
  },
  {
    name: "Host * at the end",
    config: "Host web\n  User web\n  HostName web.example\n\nHost *\n  User all\n  Compression yes\n",
    hosts: ["web", "other"],
  },
  {
    name: "options before any Host",
    config: "User first\nPort 2222\nHost web\n  Port 22\n",
    hosts: ["web", "other"],
  },
  {
    name: "Match all",
    config: "Host web\n  Port 2200\nMatch all\n  User everybody\n",
    hosts: ["web", "other"],
  },
  {
    name: "Match exec",
    config: `Match exec "${COUNTED}"\n  User counted\nHost web\n  Port 2222\n`,
    hosts: ["web", "other"],
  },
  {
    name: "Match exec in a block for one HostName",
    config:
      `Host web\n  HostName 10.1.2.3\nMatch host 10.1.2.3 exec "${COUNTED}"\n  User counted\nMatch host web exec "${COUNTED}"\n  Port 3\n`,
    hosts: ["web", "10.1.2.3", "other"],
  },
  {
    name: "Match exec that fails",
    config: `Match exec "${COUNTED}; false"\n  User nobody\n`,
    hosts: ["web"],
  },
  {
    name: "Match host",
    config: "Host web\n  HostName web.example\nMatch host web.example\n  Port 2222\nMatch host web\n  Port 2223\n",
    hosts: ["web", "web.example"],
  },
  {
    name: "Match host above the HostName",
    config: "Match host web.example\n  Port 2222\nHost web\n  HostName web.example\n",
    hosts: ["web", "web.example"],
  },
  {
    name: "Match originalhost",
    config: "Match originalhost web\n  HostName web.example\nMatch originalhost web.example\n  Port 2222\n",
    hosts: ["web", "web.example"],
  },
  {
    name: "Match user",
    config:
      "Match user deploy\n  Port 2222\nHost web\n  User deploy\n  HostName web.example\nMatch user deploy\n  ForwardAgent yes\n",
    hosts: ["web", "deploy@other", "other"],
  },
  {
    name: "Match localuser and a negation",
    config: "Match localuser somebody !host web\n  Port 2222\nMatch !localuser somebody\n  Port 2223\n",
    hosts: ["web", "other"],
  },
  {
    name: "Match final of the user's own",
    config: "Host web\n  HostName web.example\nHost *.example\n  User ex\nMatch final\n  IdentitiesOnly yes\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "Match final host of the user's own, at the top",
    config: "Match final host web.example\n  Port 2222\nHost web\n  HostName web.example\n",
    hosts: ["web", "other"],
  },
  {
    name: "Match canonical without CanonicalizeHostname",
    config: "Match canonical\n  Port 2222\nHost web\n  HostName web.example\nHost web.example\n  User second\n",
    hosts: ["web"],
  },
  {
    name: "CanonicalizeHostname yes, and a name that is found",
    config:
      "CanonicalizeHostname yes\nCanonicalDomains corp.example\nHost *.corp.example\n  User corp\nHost web\n  Port 2222\nMatch canonical\n  Compression yes\n",
    hosts: ["web", "web.corp.example"],
  },
  {
    name: "CanonicalizeHostname yes, and a name that is not found",
    config:
      "CanonicalizeHostname yes\nCanonicalDomains a.example b.example\nCanonicalizeMaxDots 0\nHost *.example\n  User ex\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "CanonicalizeHostname always",
    config:
      "CanonicalizeHostname always\nCanonicalDomains corp.example\nCanonicalizeFallbackLocal yes\nHost *.corp.example\n  User corp\n",
    hosts: ["web", "10.1.2.3"],
  },
  {
    name: "CanonicalizeHostname always with a ProxyJump",
    config:
      "Host web\n  ProxyJump jump\n  CanonicalizeHostname always\n  CanonicalDomains corp.example\nHost web.corp.example\n  User corp\n",
    hosts: ["web", "jump"],
  },
  {
    name: "CanonicalizeHostname none for one host",
    config:
      "Host web\n  CanonicalizeHostname no\nHost *\n  CanonicalizeHostname yes\n  CanonicalDomains corp.example\n",
    hosts: ["web"],
  },
  {
    name: "Include of another file",
    config: "Include conf.d/*\nHost web\n  Port 2222\n",
    files: {
      "~/.ssh/conf.d/a": "Host web\n  User a\n",
      "~/.ssh/conf.d/b": "Host web\n  User b\nHost 10.*\n  User ten\n",
    },
    hosts: ["web", "10.1.2.3"],
  },
  {
    name: "Include within Include within Include, one of them in a block",
    config: "Host web*\n  Include deep1\nHost *\n  Port 7\n",
    files: {
      "~/.ssh/deep1": "User one\nInclude ~/.ssh/deep2\n",
      "~/.ssh/deep2": "Host web1\n  HostName 10.1.2.3\nInclude deep3\n",
      "~/.ssh/deep3": "Compression yes\nHost 10.1.2.3\n  User third\n",
    },
    hosts: ["web1", "web2", "other"],
  },
  {
    name: "Include of a file that is not there",
    config: "Include not/there\nHost web\n  Port 2222\n",
    hosts: ["web"],
  },
  {
    name: "line ends of Windows",
    config: "Host prod-db\r\n\tHostName 10.1.2.3\r\n\r\nHost 10.*\r\n\tForwardAgent yes\r\n",
    hosts: ["prod-db", "10.1.2.3"],
  },
  {
    name: "a byte order mark, which ssh refuses",
    config: "\uFEFFHost web\n  Port 2222\n",
    hosts: ["web"],
    refused: true,
  },
  {
    name: "an option that ssh does not know",
    config: "Host web\n  UseKeychain yes\n",
    hosts: ["web"],
    refused: true,
  },
  {
    name: "IgnoreUnknown for an option that ssh does not know",
    config: "IgnoreUnknown UseKeychain,Xyz*\nHost web\n  UseKeychain yes\n  XyzAbc 1\n  Port 2222\n",
    hosts: ["web", "other"],
  },
  { name: "1,000 hosts", config: `${MANY}\nHost 10.0.3.*\n  User ten\n`, hosts: ["host0", "host999", "10.0.3.1"] },
  {
    name: "tabs, indented Host lines and comments at the ends of lines",
    config:
      "\tHost\tprod-db\t\n\t\tHostName\t10.1.2.3\t# the database\n  Host 10.*\n\tUser\tten\n# Host *\n#   User none\n",
    hosts: ["prod-db", "10.1.2.3"],
  },
  {
    name: "keywords with = and in any case",
    config: 'HOST=web\nhostname=10.1.2.3\nPORT = 2222\nhost = 10.*\nuser="ten"\n',
    hosts: ["web", "10.1.2.3"],
  },
  {
    name: "quoted values",
    config:
      'Host "web" "other web"\n  IdentityFile "~/.ssh/my key"\n  UserKnownHostsFile "~/.ssh/known hosts" /dev/null\n  LocalCommand echo "a b"\n  User "John Doe"\n',
    hosts: ["web", "other"],
  },
  {
    name: "patterns with ! and ?",
    config:
      "Host *.example !bastion.example !*.dev.example\n  User ex\nHost web?\n  HostName web0.example\nHost !other\n  Port 9\n",
    hosts: ["bastion.example", "x.example", "x.dev.example", "web1", "other"],
  },
  {
    name: "environment variables that are sent and set",
    config:
      "SendEnv LANG LC_*\nHost web\n  HostName web.example\n  SendEnv EDITOR\nHost *.example\n  SendEnv TERM_*\nSetEnv A=1\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "forwardings",
    config:
      "Host web\n  HostName web.example\n  LocalForward 8080 localhost:80\n  RemoteForward 9000 localhost:9000\nHost *.example\n  LocalForward 8081 localhost:81\n  DynamicForward 1080\n  LocalForward /tmp/a.sock /tmp/b.sock\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "IdentityFile again and again",
    config:
      "IdentityFile ~/.ssh/id_a\nHost web\n  HostName web.example\n  IdentityFile ~/.ssh/id_b\nHost *.example\n  IdentityFile ~/.ssh/id_c\n  IdentityFile ~/.ssh/id_%h\n  CertificateFile ~/.ssh/id_c-cert.pub\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "shared connections",
    config:
      "Host web\n  HostName web.example\n  ControlMaster auto\nHost *\n  ControlPath ~/.ssh/cm-%r@%h:%p\n  ControlPersist 10m\n",
    hosts: ["web", "other"],
  },
  {
    name: "shared connections with each token that a ControlPath may have",
    config:
      "ControlMaster auto\nHost a\n  ControlPath ~/.ssh/%n\nHost b\n  ControlPath ~/.ssh/%k\nHost *\n  ControlPath ~/.ssh/%C\n",
    hosts: ["a", "b", "c"],
  },
  {
    name: "host keys: an alias, a file, a command",
    config:
      "Host web\n  HostName web.example\n  HostKeyAlias web-1\n  StrictHostKeyChecking yes\nHost *.example\n  UserKnownHostsFile ~/.ssh/known_ex\n  KnownHostsCommand /bin/echo %H\n  CheckHostIP yes\n",
    hosts: ["web", "x.example"],
  },
  {
    name: "algorithms that are added and taken away",
    config:
      "Host old\n  HostName old.example\n  KexAlgorithms +diffie-hellman-group14-sha1\n  HostKeyAlgorithms +ssh-rsa\nHost *\n  Ciphers -*cbc\n  MACs ^hmac-sha2-256\n",
    hosts: ["old", "other"],
  },
  {
    name: "tokens and environment variables in values",
    config:
      "Host *.example\n  HostName %h.net\n  IdentityFile ~/.ssh/%r@%h\n  IdentityAgent ${HOME}/agent\n  RemoteCommand echo %n\n  RequestTTY yes\n",
    hosts: ["x.example", "web"],
  },
  {
    name: "names that are near this program's",
    config:
      "Host unix vsock machine vsock-mux\n  User near\nHost host .hosted *.host\n  User host\nHost machine-1\n  HostName machine\nHost unix.example\n  HostName vsock.example\n",
    hosts: [
      "unix",
      "vsock",
      "machine",
      "vsock-mux",
      "host",
      ".hosted",
      "db.host",
      "machine-1",
      "unix.example",
      "VSOCK",
    ],
  },
  {
    name: "addresses of IPv6 and a link's name",
    config: "Host fe80::1%eth0\n  User link\nHost v6\n  HostName 2001:db8::1\nHost 2001:db8::*\n  User six\n",
    hosts: ["fe80::1%eth0", "v6", "2001:db8::1"],
  },
  {
    name: "hosts as git has them",
    config:
      "Host github.com\n  HostName ssh.github.example\n  Port 443\n  User git\nHost *.example\n  IdentitiesOnly yes\n",
    hosts: ["github.com", "git@github.com", "ssh://git@github.com:22"],
  },
  {
    name: "the system's own file, with files beside this program's",
    config: "Host web\n  HostName web.example\n",
    files: {
      "/etc/ssh/ssh_config":
        "Include /etc/ssh/ssh_config.d/*.conf\nHost *\n  SendEnv LANG LC_*\n  HashKnownHosts yes\n  GSSAPIAuthentication yes\n",
      "/etc/ssh/ssh_config.d/00-site.conf": "Host *.example\n  User site\n",
      "/etc/ssh/ssh_config.d/50-redhat.conf": "Match final all\n  GSSAPIAuthentication yes\n  ForwardX11Trusted yes\n",
    },
    hosts: ["web", "x.example"],
  },
  {
    name: "the system's own file, which includes this program's at its end",
    config: "Host web\n  HostName web.example\n",
    files: {
      "/etc/ssh/ssh_config":
        "Host *\n  SendEnv LANG\nHost web\n  Port 2222\nMatch all\n  Include /etc/ssh/ssh_config.d/*.conf\nHost *.example\n  User ex\n",
      "/etc/ssh/ssh_config.d/90-site.conf": "Compression yes\n",
    },
    hosts: ["web", "other"],
  },
];
