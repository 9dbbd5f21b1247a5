/**
 * The list of what is in an archive, in the form of SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/).
 *
 * @module
 */

import type { Foreign } from "./inside.ts";

/** What the list is of. */
export interface Released {
  /** The archive's name without its ending. */
  readonly name: string;
  readonly version: string;
  /** When the tag was made. */
  readonly date: Date;
  /** The files' contents by their paths. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly foreign: readonly Foreign[];
}

/** The list as JSON, with the files in the order of their paths. */
export async function spdx({ name, version, date, files, foreign }: Released): Promise<string> {
  const listed = await Promise.all(
    [...files].sort(([one], [other]) => one < other ? -1 : 1).map(async ([path, bytes], at) => ({
      SPDXID: `SPDXRef-File-${at + 1}`,
      fileName: `./${path}`,
      checksums: [
        { algorithm: "SHA1", checksumValue: await digest("SHA-1", bytes) },
        { algorithm: "SHA256", checksumValue: await digest("SHA-256", bytes) },
      ],
      licenseConcluded: "NOASSERTION",
      licenseInfoInFiles: ["NOASSERTION"],
      copyrightText: "NOASSERTION",
    })),
  );
  // Section 7.9: of the files' SHA-1 sums, sorted and one behind the other.
  const sums = listed.map(({ checksums }) => checksums[0]!.checksumValue).sort().join("");
  const verification = await digest("SHA-1", new TextEncoder().encode(sums));
  const ours = "SPDXRef-Package-deno-ssh-proxy";
  const packages = [
    {
      SPDXID: ours,
      name: "deno-ssh-proxy",
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: true,
      packageVerificationCode: { packageVerificationCodeValue: verification },
      licenseConcluded: "NOASSERTION",
      licenseDeclared: "MIT",
      licenseInfoFromFiles: ["NOASSERTION"],
      copyrightText: "NOASSERTION",
    },
    ...foreign.map(({ name, version, license, use, purl, checksum }) => ({
      SPDXID: idOf(name),
      name,
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      licenseConcluded: "NOASSERTION",
      licenseDeclared: license,
      copyrightText: "NOASSERTION",
      comment: `in ${use}`,
      ...(purl === undefined ? {} : {
        externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
      }),
      ...(checksum === undefined
        ? {}
        : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.value }] }),
    })),
  ];
  const related = (from: string, type: string, to: string) => ({
    spdxElementId: from,
    relationshipType: type,
    relatedSpdxElement: to,
  });
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    // Another one for other contents, as section 6.5 asks.
    documentNamespace: `https://spdx.org/spdxdocs/${name}-${verification}`,
    creationInfo: {
      created: date.toISOString().replace(/\.\d+Z$/, "Z"),
      creators: [`Tool: deno-ssh-proxy-release-${version}`],
    },
    packages,
    files: listed,
    relationships: [
      related("SPDXRef-DOCUMENT", "DESCRIBES", ours),
      ...listed.map(({ SPDXID }) => related(ours, "CONTAINS", SPDXID)),
      ...foreign.map(({ name }) => related(ours, "CONTAINS", idOf(name))),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Section 3.2: letters, digits, dots and hyphens. */
function idOf(name: string): string {
  return `SPDXRef-Package-${name.replaceAll(/[^A-Za-z0-9.]+/g, "-").replace(/^-/, "")}`;
}

/** In hexadecimal. */
export async function digest(algorithm: "SHA-1" | "SHA-256", bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, bytes)).toHex();
}
