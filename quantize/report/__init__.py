"""Show what was measured: one HTML file without a network, one JSON, and a page for a school's director.

write_report(card, output, plan=None, others=(), mix=None, lang="es")      quantize.report.write
    card     card.json of quantize.measure
    output   a folder: report.html, report.json, boletin.html
    plan     plan.json of quantize.bits, for the map of bits
    others   cards of other files of the same parent, to compare size and divergence with
    mix      mix.json of the corpus, for the data and its licences
    lang     language of report.html: es, pt or en; the boletín is in Spanish
"""
