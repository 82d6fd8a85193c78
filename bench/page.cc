// SPDX-License-Identifier: GPL-2.0-only
#include "page.h"

#include <fmt/format.h>

namespace bench {

static const char *const kStyle = R"(
:root { --line: #d9dde3; --soft: #5b6470; --good: #18794e; --bad: #b42318; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2024; background: #f5f6f8; margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 26px; margin: 8px 0 4px; }
h2 { font-size: 19px; margin: 36px 0 10px; }
p { margin: 6px 0 12px; max-width: 75ch; }
.soft { color: var(--soft); }
.card { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px;
  margin: 12px 0; overflow-x: auto; }
.card svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: right; font-weight: 600; color: var(--soft); border-bottom: 2px solid var(--line);
  padding: 4px 8px; white-space: nowrap; }
td { text-align: right; padding: 3px 8px; white-space: nowrap; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; }
tr.group td { border-top: 1px solid var(--line); }
td:first-child { font-weight: 600; }
.heads td:first-child { font-weight: 400; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
code { background: #eceff3; border-radius: 4px; padding: 1px 5px; font-size: 13px; }
)";

static std::string escaped(const std::string &text) {
    std::string out;
    for (char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

static std::string table_html(const Table &table) {
    std::string html = "<h2>" + escaped(table.title) + "</h2>\n";
    if (!table.note.empty())
        html += "<p class=soft>" + escaped(table.note) + "</p>\n";
    html += "<div class=card><table><thead><tr>";
    for (const std::string &head : table.head)
        html += "<th>" + escaped(head) + "</th>";
    html += "</tr></thead><tbody>\n";
    for (const auto &row : table.rows) {
        html += row.empty() || row[0].empty() ? "<tr>" : "<tr class=group>";
        for (const std::string &cell : row)
            html += "<td>" + escaped(cell) + "</td>";
        html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
}

static std::string headline_html(const std::vector<Headline> &headlines) {
    std::string html =
        "<div class=card><table class=heads><thead><tr><th>instructions, unless said "
        "otherwise</th><th></th><th>measured</th><th>to reach</th><th></th></tr>"
        "</thead><tbody>\n";
    for (const Headline &line : headlines) {
        if (line.measured.empty())
            continue;
        std::string verdict = !line.reached   ? "<td></td>"
                              : *line.reached ? "<td class=good>reached</td>"
                                              : "<td class=bad>missed</td>";
        html +=
            fmt::format("<tr class=group><td>{}</td><td></td><td>{}</td><td>{}</td>{}</tr>\n",
                        escaped(line.what), escaped(line.measured), escaped(line.wanted), verdict);
    }
    return html + "</tbody></table></div>\n";
}

std::string page(const Results &results, const std::vector<Headline> &headlines,
                 const std::vector<std::string> &violations, const std::vector<Picture> &pictures,
                 const std::vector<Table> &tables) {
    std::string html = "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
                       "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
                       "<title>What a copy costs</title>\n<style>" +
                       std::string(kStyle) + "</style></head><body><main>\n";
    html += "<h1>What a copy costs</h1>\n";
    html += fmt::format("<p class=soft>Linux {}, QEMU {}{}, {}. Made by <code>{}</code>{}.</p>\n",
                        escaped(results.kernel), escaped(results.qemu),
                        results.series.empty() ? "" : ", series " + escaped(results.series),
                        escaped(results.created), escaped(results.command),
                        results.smoke ? ": the short version" : "");
    html +=
        "<p>Instructions are those that the guest's only CPU executes for one copy: the program, "
        "the kernel, interrupts. Of operations that slept equally "
        "often for the drive, the cheapest is shown. Commands and bytes are what the drive "
        "itself has seen. Times come from another boot and mean something in proportion only. "
        "Each method&rsquo;s copy was compared with independent data before it was "
        "measured.</p>\n";
    if (!violations.empty()) {
        html += "<div class=card><p class=bad>This run is not sound:</p><ul>\n";
        for (const std::string &sentence : violations)
            html += "<li>" + escaped(sentence) + "</li>\n";
        html += "</ul></div>\n";
    }
    html += headline_html(headlines);
    for (const Picture &picture : pictures)
        html +=
            "<h2>" + escaped(picture.title) + "</h2>\n<div class=card>" + picture.svg + "</div>\n";
    for (const Table &table : tables)
        html += table_html(table);
    return html + "</main></body></html>\n";
}

} // namespace bench
